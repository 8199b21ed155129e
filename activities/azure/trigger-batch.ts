import type { BlobEvent } from '../../namespace/change.ts';
import { decodeTriggers } from '../../schema/events/decode.ts';
import type { InventoryCompleted } from '../../schema/events/inventory-completed.ts';
import type { DecodedTrigger } from '../../schema/events/trigger.ts';
import { UndecodableError, type UndecodableReason } from '../../schema/events/undecodable.ts';
import type { JournalNote } from '../../schema/index/journal.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';

/** A message that can never be applied. */
export interface DeadLetter {
  readonly message: TriggerMessage;
  readonly reason: UndecodableReason;
  readonly description: string;
}

/** What a batch of messages says, before anything is done about it. */
export interface TriggerBatch {
  /** To be settled once the batch is committed. */
  readonly good: readonly TriggerMessage[];
  readonly deadLetters: readonly DeadLetter[];
  /** In the order in which they came. */
  readonly events: readonly BlobEvent[];
  readonly completed: readonly { readonly message: TriggerMessage; readonly run: InventoryCompleted }[];
  /** Events that are no change of a blob, by their reason. */
  readonly ignored: Readonly<Record<string, number>>;
  /** What was not routine. */
  readonly notes: readonly JournalNote[];
}

/** Sorts the messages of one receive. An event of another account is refused: it was sent to the wrong queue. */
export function readBatch(messages: readonly TriggerMessage[], account: string): TriggerBatch {
  const good: TriggerMessage[] = [];
  const deadLetters: DeadLetter[] = [];
  const events: BlobEvent[] = [];
  const completed: { message: TriggerMessage; run: InventoryCompleted }[] = [];
  const ignored: Record<string, number> = {};
  const notes: JournalNote[] = [];
  for (const message of messages) {
    let decoded: readonly DecodedTrigger[];
    try {
      decoded = decodeTriggers(message.body);
      const stranger = decoded.find((each) => each.account !== account);
      if (stranger !== undefined) {
        throw new UndecodableError(
          'unknown-account',
          `the event is of account '${stranger.account}', not '${account}'`,
        );
      }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      const { reason, message: description } = error;
      deadLetters.push({ message, reason, description });
      notes.push({ kind: 'dead-letter', detail: { messageId: message.id, reason, description } });
      continue;
    }
    good.push(message);
    for (const each of decoded) {
      if (each.kind === 'event') events.push(each.event);
      else if (each.kind === 'inventory-completed') completed.push({ message, run: each });
      else {
        ignored[each.reason] = (ignored[each.reason] ?? 0) + 1;
        if (each.reason === 'directory') {
          notes.push({
            kind: 'directory-event',
            detail: { type: each.type, subject: each.subject, eventId: each.eventId },
          });
        }
      }
    }
  }
  return { good, deadLetters, events, completed, ignored, notes };
}
