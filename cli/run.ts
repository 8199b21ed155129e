import type { Call } from './call.ts';
import { StopSignals } from './dev/stop-signals.ts';
import { readEnvironment } from './environment.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface CommonOptions {
  readonly json?: boolean | undefined;
  readonly config?: string | undefined;
}

/**
 * Runs a command until it ends or is interrupted. The first Ctrl-C asks it to end, and the exit code is then 130
 * (unless the command makes its own answer of it); the second does not wait.
 */
export async function runCommand(
  terminal: Terminal,
  options: CommonOptions,
  command: (call: Call) => Promise<ExitCode>,
): Promise<ExitCode> {
  using signals = new StopSignals();
  const signal = signals.first;
  signals.onSecond(() => process.exit(EXIT.interrupted));
  try {
    const env = await readEnvironment(process.cwd(), process.env);
    return await command({ env, terminal, signal, json: options.json === true, config: options.config });
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT.interrupted;
  }
}
