import { messageOf } from '../../schema/errors.ts';
import { canaryKey } from '../../schema/federation/canary.ts';
import type { TriggerSource } from '../../schema/index/sources.ts';
import { claimCanary, noteCanary } from '../../schema/index/trigger-watch.ts';
import { answerWithin } from '../observability/answer-within.ts';
import type { Services } from '../services.ts';

const ANSWER_MS = 15_000;

/**
 * Writes the federation's canary where it is due, one worker of all. That its trigger is waited for is in the index
 * before it is written, so that one that cannot be written, or a writer that dies, is missed as well.
 */
export async function writeCanary(services: Services, source: TriggerSource, signal: AbortSignal): Promise<void> {
  const { account, canary, clock, federation, index, log } = services;
  const key = canaryKey(federation);
  const every = federation.sources.canary?.everySeconds;
  if (key === undefined || every === undefined) return;
  const of = { accountId: account.id, source };
  try {
    const now = clock.now();
    if (!(await claimCanary(index.db, of, { now, everyMs: every * 1000 }))) return;
    const text = `Isthmus writes this blob and waits for its trigger, to see whether triggers come. ${new Date(now).toISOString()}\n`;
    let error: string | undefined;
    try {
      await answerWithin(ANSWER_MS, 'the account', signal, (within) => canary.write(key, text, within));
    } catch (failure) {
      signal.throwIfAborted();
      error = messageOf(failure);
      log.warn({ error }, 'the canary could not be written');
    }
    await noteCanary(index.db, of, error);
  } catch (failure) {
    // It holds up no trigger; whoever judges sees that none came.
    if (!signal.aborted) log.warn({ error: messageOf(failure) }, 'the canary could not be seen to');
  }
}
