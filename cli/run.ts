import type { Call } from './call.ts';
import { StopSignals } from './dev/stop-signals.ts';
import { readEnvironment } from './environment.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface CommonOptions {
  readonly json?: boolean | undefined;
  readonly config?: string | undefined;
  /** It ends in its own time, however long that takes. */
  readonly drains?: boolean | undefined;
}

/** What waits for somebody who does not answer cannot end by itself. */
const LONGEST_END_MS = 10_000;

/**
 * Runs a command until it ends or is interrupted. The first Ctrl-C asks it to end, and the exit code is then 130
 * (unless the command makes its own answer of it); the second does not wait, and nor does the first for longer than 10 s.
 */
export async function runCommand(
  terminal: Terminal,
  options: CommonOptions,
  command: (call: Call) => Promise<ExitCode>,
): Promise<ExitCode> {
  using signals = new StopSignals();
  const signal = signals.first;
  const leave = () => process.exit(EXIT.interrupted);
  signals.onSecond(leave);
  let late: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => {
    if (options.drains !== true) late = setTimeout(leave, LONGEST_END_MS).unref();
  });
  try {
    const env = await readEnvironment(process.cwd(), process.env);
    return await command({ env, terminal, signal, json: options.json === true, config: options.config });
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    clearTimeout(late);
  }
}
