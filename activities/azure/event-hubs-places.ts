import type { Timestamp } from '../../namespace/entry.ts';
import type { Index } from '../../schema/index/database.ts';
import {
  forgetHubPlace,
  type HubName,
  type HubPlace,
  readHubPartitions,
} from '../../schema/index/event-hub-partitions.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { EventHubsBacklog, PartitionHead } from './event-hubs-backlog.ts';

/** The index's places of an event hub, and who is told of what is gone. */
export interface Places {
  readonly index: Index;
  readonly accountId: number;
  /**
   * Asks for what brings the events that are gone for good; returns once that is certain to come. Called before
   * anything moves past them, and again where it failed or this process ended meanwhile.
   */
  readonly heal?: (() => Promise<void>) | undefined;
  /** Told once of each partition of a hub that was made anew: what nobody had read of the old one is gone for good. */
  readonly onMadeAnew?: ((strange: StrangeOne) => void) | undefined;
}

/** A place that is of another hub of the name, and the number of the newest event of the one that is there now. */
export interface StrangeOne {
  readonly partition: string;
  readonly place: HubPlace;
  readonly last?: number | undefined;
}

/**
 * Forgets places that are not of the hub that answers: it was deleted and made anew under its name, and would be read
 * from anywhere, or refuse every reader for ever. Its oldest event is read first then, which is written down.
 */
export async function forgetStrangePlaces(
  places: Places,
  backlog: Pick<EventHubsBacklog, 'hub' | 'heads' | 'madeAt'>,
  signal: AbortSignal,
): Promise<void> {
  const { hub } = backlog;
  const kept = await readHubPartitions(places.index.db, places.accountId, hub);
  // Where there is no place yet, too: that a key is wrong the client, while it balances, would tell only after minutes.
  const [madeAt, heads] = await Promise.all([backlog.madeAt(signal), backlog.heads(signal)]);
  for (const head of heads) {
    const { partition, last } = head;
    const place = kept.find((each) => each.partition === partition)?.place;
    if (place !== undefined && isStrange(place, head, madeAt)) {
      await forgetStrangePlace(places, hub, { partition, place, last });
    }
  }
}

/**
 * Forgets one, where it still is that one. What brings the lost events is asked for before: the place alone tells that
 * any were lost.
 */
export async function forgetStrangePlace(
  { index, accountId, heal, onMadeAnew }: Places,
  hub: HubName,
  strange: StrangeOne,
): Promise<void> {
  await heal?.();
  const { partition, place } = strange;
  const forgotten = await transact(index, async (tx) => {
    const is = await forgetHubPlace(tx, accountId, hub, { partition, from: place.sequence });
    if (is) await recordJournal(tx, accountId, [{ kind: 'event-hub-made-anew', detail: { ...hub, ...strange } }]);
    return is;
  });
  if (forgotten) onMadeAnew?.(strange);
}

/**
 * Whether a place cannot be of the hub that answers. Numbers and offsets begin anew in a new one, so that they tell
 * only where they contradict; when it was made tells always, since the event of the place was enqueued before that.
 * Where a namespace failed over to its twin, which was made long before, what contradicts is left, and at last
 * `StrangePlace`, once events come.
 */
export function isStrange(place: HubPlace, head: PartitionHead, madeAt: Timestamp): boolean {
  const { last, lastAt, lastOffset, isEmpty } = head;
  if (place.enqueuedAt < madeAt || last < place.sequence) return true;
  if (isEmpty) return false;
  // One of them alone might only be written in another way.
  if (last === place.sequence) return lastOffset !== place.offset && lastAt !== place.enqueuedAt;
  return isNumber(place.offset) && isNumber(lastOffset) && Number(place.offset) >= Number(lastOffset);
}

/** Azure may write offsets in other ways, which are not to be compared. */
function isNumber(offset: string): boolean {
  return /^\d+$/.test(offset);
}
