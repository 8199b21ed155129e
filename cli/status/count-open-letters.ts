import { answerWithin } from '../../activities/observability/answer-within.ts';
import { countKeptLetters, countQueuedLetters } from '../../activities/observability/count-dead-letters.ts';
import type { OpenLetters } from '../../activities/observability/dead-letter-metrics.ts';
import { openDeadLetterQueue } from '../../activities/open-services.ts';
import { messageOf } from '../../schema/errors.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import type { OpenAccount } from '../open-account.ts';

/** A status does not wait longer for a queue that does not answer: its source has an alarm then. */
const ANSWER_MS = 5_000;

/** The dead letters that wait for somebody, wherever they can be counted, and why the queue's own cannot be. */
export async function countOpenLetters(
  { federation, index, account }: OpenAccount,
  signal: AbortSignal,
): Promise<Pick<StatusOutput, 'deadLetters' | 'deadLettersUncounted'>> {
  const queue = openDeadLetterQueue(federation);
  let queued: readonly OpenLetters[] = [];
  let uncounted: string | null = null;
  try {
    queued = await answerWithin(ANSWER_MS, 'the dead-letter queue', signal, (within) =>
      countQueuedLetters(queue, within),
    );
  } catch (error) {
    signal.throwIfAborted();
    uncounted = messageOf(error);
  } finally {
    await queue?.close();
  }
  const letters = [...queued, ...(await countKeptLetters(index.db, account.id))];
  return { deadLetters: letters.map((each) => ({ ...each })), deadLettersUncounted: uncounted };
}
