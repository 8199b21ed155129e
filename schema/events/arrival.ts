import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { SubtreeChange } from './subtree.ts';

/**
 * An event as far as its time can be true: nothing has happened after its queue took the word of it. One that tells of
 * later than that, by more than the account's margin, orders nothing: without its sequencer the blob is looked at. Its
 * time is kept, as looks bear the same clock's.
 *
 * @param arrivedAt when the queue took the message, by the queue's clock.
 * @param margin how far two clocks may be apart, in milliseconds.
 */
export function eventAsArrived(event: BlobEvent, arrivedAt: Timestamp, margin: number): BlobEvent {
  return event.time > arrivedAt + margin ? { ...event, sequencer: undefined } : event;
}

/**
 * A directory's end at the latest when the queue took the word of it: for as long as one lies ahead, whatever is written
 * below counts as gone with it, and so does what its listing finds.
 */
export function subtreeAsArrived(change: SubtreeChange, arrivedAt: Timestamp): SubtreeChange {
  return change.time > arrivedAt ? { ...change, time: arrivedAt } : change;
}
