import type { ReceivedEventData } from '@azure/event-hubs';
import type { HubPlace } from '../../schema/index/event-hub-partitions.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';

/** Events that retention removed before they were read: numbers of the first and the last. */
export interface Removed {
  readonly partition: string;
  readonly from: number;
  readonly to: number;
}

/** One event that this process has, and has not applied. */
export interface HeldEvent {
  readonly tail: PartitionTail;
  readonly trigger: TriggerMessage;
  /** The number of the event that was taken before it; undefined: it is the first that was ever read. */
  readonly before: number | undefined;
  /** Where the partition is once it is applied. */
  readonly place: HubPlace;
  readonly removed: Removed | undefined;
}

/** An event came that cannot come behind the place that was asked for: the place is of another hub of this name. */
export class StrangePlace extends Error {
  readonly partition: string;
  readonly place: HubPlace;

  constructor(partition: string, place: HubPlace) {
    super(`partition ${partition} has events up to number ${place.sequence} behind the offset of that number`);
    this.partition = partition;
    this.place = place;
  }
}

/** One partition while this process reads it: what was taken of it, in the order of its numbers. */
export class PartitionTail {
  readonly partition: string;
  /** Another one has applied its events: what comes of it here is dropped. */
  lost = false;
  /** Held and not handed out. */
  waiting = 0;
  /** How many events Azure's client may have asked for beyond those that came. */
  asked = 0;
  /** When the client last said anything of it, be it that there is nothing. Its own waiting for us does not count. */
  heardAt: number;
  readonly #begunAfter: HubPlace | undefined;
  #taken: number | undefined;

  constructor(partition: string, begunAfter: HubPlace | undefined, now: number) {
    this.partition = partition;
    this.#begunAfter = begunAfter;
    this.#taken = begunAfter?.sequence;
    this.heardAt = now;
  }

  /**
   * Takes what came. What was taken before is left out: a link that is rebuilt may repeat it.
   *
   * @throws StrangePlace
   */
  take(events: readonly ReceivedEventData[]): readonly HeldEvent[] {
    const begun = this.#begunAfter;
    // To leave these out as taken would be to lose them.
    if (begun !== undefined && events.some(({ sequenceNumber }) => sequenceNumber <= begun.sequence)) {
      throw new StrangePlace(this.partition, begun);
    }
    return events.flatMap((event): HeldEvent[] => {
      const { sequenceNumber: sequence, offset, body, enqueuedTimeUtc } = event;
      const before = this.#taken;
      if (before !== undefined && sequence <= before) return [];
      this.#taken = sequence;
      const enqueuedAt = enqueuedTimeUtc.getTime();
      const { partition } = this;
      const missing = before !== undefined && sequence > before + 1;
      const removed = missing ? { partition, from: before + 1, to: sequence - 1 } : undefined;
      // A hub that is made anew counts from 0 again.
      const id = `${partition}/${sequence}@${enqueuedAt}`;
      const trigger = { id, body, enqueuedAt, deliveryCount: 1 };
      const place = { offset, sequence, enqueuedAt };
      return [{ tail: this, trigger, before, place, removed }];
    });
  }
}
