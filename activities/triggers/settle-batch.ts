import { messageOf } from '../../schema/errors.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import type { TriggerBatch } from '../azure/trigger-batch.ts';
import type { Services } from '../services.ts';
import { wantReconcile } from '../want-reconcile.ts';

/**
 * Settles the messages of a batch that is committed (invariant 4). Where the queue keeps its place with us, what was
 * refused is kept already, and what was wished for is told; else a message whose wish for a reconcile could not be told
 * comes again.
 */
export async function settleBatch(services: Services, from: TriggerQueue, batch: TriggerBatch): Promise<void> {
  if (from.commit !== undefined) {
    await from.complete([...batch.good, ...batch.deadLetters.map(({ message }) => message)]);
    return;
  }
  const again = new Set<TriggerMessage>();
  for (const { message, run } of batch.completed) {
    try {
      await wantReconcile(services, run);
    } catch (error) {
      services.log.warn({ rule: run.rule, error: messageOf(error) }, 'a reconcile could not be asked for');
      again.add(message);
    }
  }
  const good = again.size === 0 ? batch.good : batch.good.filter((message) => !again.has(message));
  await Promise.all([
    from.complete(good),
    from.abandon([...again]),
    ...batch.deadLetters.map(({ message, reason, description }) => from.deadLetter(message, reason, description)),
  ]);
}
