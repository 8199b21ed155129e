import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import { codeOf } from '../failure.ts';

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/**
 * Does `work` until it succeeds, waiting longer each time, up to five seconds. Says so at the first failure,
 * then about once a minute, and when it is over: a blip is one line, an outage a line a minute.
 *
 * @throws the signal's reason, and an error that trying again cannot mend: one of ours whose consequence is to give up.
 */
export async function patiently<Result>(
  what: string,
  context: { readonly log: Logger; readonly signal: AbortSignal },
  work: () => Promise<Result>,
): Promise<Result> {
  const { log, signal } = context;
  let wait = FIRST_MS;
  let failingSince: number | undefined;
  let saidAt = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      const result = await work();
      if (failingSince !== undefined) log.info({ afterMs: Date.now() - failingSince }, `${what}: it works again`);
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof IsthmusError && error.consequence === 'give-up') throw error;
      failingSince ??= Date.now();
      if (Date.now() - saidAt > 60_000) {
        saidAt = Date.now();
        log.warn({ code: codeOf(error) }, `${what}: ${messageOf(error)}; trying again until it works`);
      }
    }
    await sleep(wait, undefined, { signal });
    wait = Math.min(LONGEST_MS, wait * 2);
  }
}
