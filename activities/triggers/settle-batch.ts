import { ensureError } from '../../schema/errors.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import type { TriggerBatch } from '../azure/trigger-batch.ts';
import type { Services } from '../services.ts';
import { wantReconcile } from '../want-reconcile.ts';

/**
 * Settles the messages of a batch that is committed (invariant 4). One whose wish for a reconcile could not be told
 * comes again. What was refused is kept already where the queue keeps its place with us.
 */
export async function settleBatch(services: Services, from: TriggerQueue, batch: TriggerBatch): Promise<void> {
  const again = new Set<TriggerMessage>();
  for (const { message, run } of batch.completed) {
    try {
      await wantReconcile(services, run);
    } catch (error) {
      services.log.warn({ rule: run.rule, error: ensureError(error).message }, 'a reconcile could not be asked for');
      again.add(message);
    }
  }
  const good = again.size === 0 ? batch.good : batch.good.filter((message) => !again.has(message));
  if (from.commit !== undefined) {
    await Promise.all([
      from.complete([...good, ...batch.deadLetters.map(({ message }) => message)]),
      from.abandon([...again]),
    ]);
    return;
  }
  await Promise.all([
    from.complete(good),
    from.abandon([...again]),
    ...batch.deadLetters.map(({ message, reason, description }) => from.deadLetter(message, reason, description)),
  ]);
}
