import { createLogger } from '../../activities/observability/logger.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { runWorker } from '../worker/run-worker.ts';

/** `isthmus worker`: until Ctrl-C or `kill`; a stop that was asked for is good. */
export async function worker(call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await runWorker({ federation, env: call.env, log: createLogger(), signal: call.signal });
  return EXIT.good;
}
