import type { BlobEvent } from '../../namespace/change.ts';
import { eventAsArrived, subtreeAsArrived } from '../../schema/events/arrival.ts';
import { decodeTriggers } from '../../schema/events/decode.ts';
import type { InventoryCompleted } from '../../schema/events/inventory-completed.ts';
import type { SubtreeChange } from '../../schema/events/subtree.ts';
import type { UndecodableReason } from '../../schema/events/undecodable.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { JournalNote } from '../../schema/index/journal.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';

/** A message of which something can never be applied. What else it tells is applied. */
export interface DeadLetter {
  readonly message: TriggerMessage;
  readonly reason: UndecodableReason;
  readonly description: string;
  /** Of those in the message, how many cannot be applied. */
  readonly events: number;
}

/** What a batch of messages says, before anything is done about it. */
export interface TriggerBatch {
  /** To be settled once the batch is committed. */
  readonly good: readonly TriggerMessage[];
  readonly deadLetters: readonly DeadLetter[];
  /** In the order in which they came. */
  readonly events: readonly BlobEvent[];
  /** Directories that were deleted or renamed. */
  readonly subtrees: readonly SubtreeChange[];
  readonly completed: readonly { readonly message: TriggerMessage; readonly run: InventoryCompleted }[];
  /** Events that are no change of a blob of the account, by their reason. */
  readonly ignored: Readonly<Record<string, number>>;
  /** What is to be said of those that are another account's: one sentence for each such account. */
  readonly strangers: readonly string[];
  /** What was not routine, but for the dead letters: whoever keeps those notes them. */
  readonly notes: readonly JournalNote[];
}

/**
 * Sorts the messages of one receive. An event of another account is ignored: where several accounts share a queue or a
 * hub, there are as many of them as of ours, and to keep each would fill the dead letters without end.
 *
 * Every event that comes in is one of `events`, `subtrees`, `completed` and `ignored`, or counted by a dead letter; a
 * rename of a blob is two events. None of them is taken to have happened after its message was enqueued.
 */
export function readBatch(
  messages: readonly TriggerMessage[],
  account: Pick<Account, 'name' | 'margin'>,
): TriggerBatch {
  const good: TriggerMessage[] = [];
  const deadLetters: DeadLetter[] = [];
  const events: BlobEvent[] = [];
  const subtrees: SubtreeChange[] = [];
  const completed: { message: TriggerMessage; run: InventoryCompleted }[] = [];
  const ignored: Record<string, number> = {};
  const notes: JournalNote[] = [];
  const unknown = new Set<string>();
  const strangers = new Set<string>();
  for (const message of messages) {
    const decoded = decodeTriggers(message.body, account.name);
    const { read } = decoded;
    const refused = decoded.refused.filter(({ reason }) => reason !== 'unknown-account');
    for (const { reason, message: description } of decoded.refused) {
      if (reason !== 'unknown-account') continue;
      ignored[reason] = (ignored[reason] ?? 0) + 1;
      strangers.add(description);
    }
    const [first] = refused;
    if (first === undefined) {
      good.push(message);
    } else {
      const { reason } = first;
      const description =
        refused.length === 1 ? first.message : `${first.message} (and ${refused.length - 1} more of its events)`;
      deadLetters.push({ message, reason, description, events: refused.length });
    }
    for (const each of read) {
      if (each.kind === 'event') events.push(eventAsArrived(each.event, message.enqueuedAt, account.margin));
      else if (each.kind === 'subtree') subtrees.push(subtreeAsArrived(each.subtree, message.enqueuedAt));
      else if (each.kind === 'inventory-completed') completed.push({ message, run: each });
      else {
        ignored[each.reason] = (ignored[each.reason] ?? 0) + 1;
        const { type, subject, eventId } = each;
        // One of each type is enough to tell that there is one.
        if (each.reason === 'unknown-type' && !unknown.has(type)) {
          unknown.add(type);
          notes.push({ kind: 'unknown-event-type', detail: { type, subject, eventId } });
        }
      }
    }
  }
  return { good, deadLetters, events, subtrees, completed, ignored, strangers: [...strangers], notes };
}
