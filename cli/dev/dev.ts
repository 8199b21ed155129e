import path from 'node:path';
import { writeEnvFile } from '../../infra/local/env-file.ts';
import { STACK_ENV, STATE_FOLDER } from '../../infra/local/find-stack.ts';
import type { StackPorts } from '../../infra/local/ports.ts';
import type { Transport } from '../../infra/local/services-options.ts';
import { type Stack, startStack } from '../../infra/local/stack.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { formatChildEvent } from './format-child-event.ts';
import { nextSteps } from './next-steps.ts';
import { StopSignals } from './stop-signals.ts';

export interface DevOptions {
  /** Where the endpoints are written as `KEY=value` lines. */
  readonly writeEnv?: string | undefined;
  readonly fresh?: boolean | undefined;
  /** The account has a hierarchical namespace. */
  readonly hierarchical?: boolean | undefined;
  readonly triggers?: Transport | undefined;
  readonly state?: string | undefined;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  readonly ports?: 'free' | Partial<StackPorts> | undefined;
}

/**
 * `isthmus dev`: runs the embedded stack with its worker until Ctrl-C or `kill`, then stops every child. A second
 * Ctrl-C does not wait for them.
 */
export async function runDev(options: DevOptions, terminal: Terminal): Promise<ExitCode> {
  using signals = new StopSignals();
  const began = performance.now();
  let stack: Stack | undefined;
  try {
    stack = await startStack({
      state: options.state ?? path.resolve(STATE_FOLDER),
      fresh: options.fresh,
      hierarchical: options.hierarchical,
      triggers: options.triggers,
      config: options.config,
      ports: options.ports,
      worker: true,
      signal: signals.first,
      onProgress: (doing) => terminal.say(`${doing}...`),
      onEvent: (event) => {
        const line = formatChildEvent(event, performance.now() - began);
        if (line !== undefined) terminal.say(line);
      },
    });
  } catch (error) {
    if (signals.first.aborted) return EXIT.good;
    throw error;
  }
  const { env } = stack;
  const written = options.writeEnv === undefined ? undefined : path.resolve(options.writeEnv);
  if (written !== undefined) await writeEnvFile(written, env);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (options.json) terminal.print(JSON.stringify({ ready: true, seconds, state: stack.state, env }));
  else {
    const envFile = written ?? path.join(stack.state, STACK_ENV);
    const npm = process.env.npm_command !== undefined;
    const next = await nextSteps({ env, envFile, cwd: process.cwd(), argv: process.argv, npm });
    for (const line of [...describe(stack, seconds), ...next]) terminal.print(line);
  }

  await signals.untilFirst();
  terminal.say('stopping; Ctrl-C again does not wait');
  signals.onSecond(() => stack.force());
  await stack.stop();
  terminal.say('stopped');
  return EXIT.good;
}

function describe(stack: Stack, seconds: number): readonly string[] {
  const { env } = stack;
  const every: readonly (readonly [string, string | undefined])[] = [
    ['Blob endpoint', `http://127.0.0.1:${stack.ports.blob}/${env.AZURE_STORAGE_ACCOUNT}`],
    ['Blob connection string', env.AZURE_STORAGE_CONNECTION_STRING],
    ['Service Bus', env.AZURE_SERVICEBUS_CONNECTION_STRING],
    ['Event Hubs', env.AZURE_EVENTHUBS_CONNECTION_STRING],
    ['Postgres', env.DATABASE_URL],
    ['Temporal', env.TEMPORAL_ADDRESS],
    ['Temporal UI', env.TEMPORAL_UI_URL],
    ['Metrics', `${env.ISTHMUS_METRICS_URL}/metrics`],
    ['Fault switches', env.ISTHMUS_CONTROL_URL],
    ['VAST folder', env.ISTHMUS_VAST_ROOT],
    ['Federation', env.ISTHMUS_CONFIG],
    ['State and logs', stack.state],
  ];
  // What does not run has no address.
  const rows = every.filter(([, value]) => value !== undefined);
  const width = Math.max(...rows.map(([what]) => what.length));
  return [`Ready in ${seconds} s.`, ...rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value ?? ''}`)];
}
