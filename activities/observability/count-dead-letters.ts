import type { Queryable } from '../../schema/index/database.ts';
import { COUNTED_LETTERS, countOpenLetters } from '../../schema/index/dead-letters.ts';
import type { DeadLetterQueue } from '../../schema/ports/dead-letter-queue.ts';
import type { OpenLetters } from './dead-letter-metrics.ts';

/** Of the queue's own this many are counted: each is asked for with its body, and one is as bad as a thousand. */
const COUNTED = 100;

/** The dead letters that nobody has replayed or discarded, by where they came from and why. */
export async function countDeadLetters(
  on: Queryable,
  accountId: number,
  queue: Pick<DeadLetterQueue, 'list'> | undefined,
  signal: AbortSignal,
): Promise<readonly OpenLetters[]> {
  return [...(await countQueuedLetters(queue, signal)), ...(await countKeptLetters(on, accountId))];
}

/** Those of the Service Bus queue's own; none where there is no such queue. */
export async function countQueuedLetters(
  queue: Pick<DeadLetterQueue, 'list'> | undefined,
  signal: AbortSignal,
): Promise<readonly OpenLetters[]> {
  const reasons = new Map<string, number>();
  let counted = 0;
  for await (const { reason } of queue?.list(signal) ?? []) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    counted += 1;
    if (counted >= COUNTED) break;
  }
  const atLeast = counted >= COUNTED;
  return [...reasons].map(([reason, count]) => ({ origin: 'service-bus' as const, reason, count, atLeast }));
}

/** Those that the index keeps. */
export async function countKeptLetters(on: Queryable, accountId: number): Promise<readonly OpenLetters[]> {
  const kept = await countOpenLetters(on, accountId);
  const atLeast = kept.reduce((sum, { count }) => sum + count, 0) >= COUNTED_LETTERS;
  return kept.map((each) => ({ ...each, atLeast }));
}
