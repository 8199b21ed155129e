import { answerWithin } from '../../activities/observability/answer-within.ts';
import { countDeadLetters } from '../../activities/observability/count-dead-letters.ts';
import { openDeadLetterQueue } from '../../activities/open-services.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import type { OpenAccount } from '../open-account.ts';

/** A status does not wait longer for a queue that does not answer: its source has an alarm then. */
const ANSWER_MS = 5_000;

/** The dead letters that wait for somebody; null where the queue that holds some of them does not answer. */
export async function countOpenLetters(
  { federation, index, account }: OpenAccount,
  signal: AbortSignal,
): Promise<StatusOutput['deadLetters']> {
  const queue = openDeadLetterQueue(federation);
  try {
    const counting = (within: AbortSignal) => countDeadLetters(index.db, account.id, queue, within);
    return (await answerWithin(ANSWER_MS, 'the dead-letter queue', signal, counting)).map((each) => ({ ...each }));
  } catch {
    signal.throwIfAborted();
    return null;
  } finally {
    await queue?.close();
  }
}
