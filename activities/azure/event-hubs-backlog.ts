import type { EventHubConsumerClient } from '@azure/event-hubs';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { Index } from '../../schema/index/database.ts';
import { type HubName, type HubPlace, readHubPartitions } from '../../schema/index/event-hub-partitions.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { type EventHubsSource, eventHubsClient, hubNameOf } from './event-hubs-client.ts';
import { within } from './within.ts';

/** A client whose connection was cut may never end its closing. */
const CLOSE_MS = 1_000;

/** How far a partition goes, by the hub itself. */
export interface PartitionHead {
  readonly partition: string;
  /** Numbers of its oldest event and of its newest; -1: there never was one. */
  readonly begin: number;
  readonly last: number;
  readonly lastAt: Timestamp;
  readonly lastOffset: string;
  readonly isEmpty: boolean;
}

/** A partition's newest event at an earlier glance. */
export interface HeadMark {
  readonly last: number;
  readonly lastAt: Timestamp;
  readonly seenAt: Timestamp;
}

/** What of an event hub is not applied: its own word against the index's, so that a reader that stands still cannot hide it. */
export class EventHubsBacklog implements Pick<TriggerQueue, 'oldest'> {
  readonly hub: HubName;
  readonly #client: EventHubConsumerClient;
  readonly #index: Index;
  readonly #accountId: number;
  readonly #marks = new Map<string, HeadMark>();

  constructor(options: { readonly source: EventHubsSource; readonly index: Index; readonly accountId: number }) {
    this.#client = eventHubsClient(options.source);
    this.hub = hubNameOf(this.#client, options.source);
    this.#index = options.index;
    this.#accountId = options.accountId;
  }

  async oldest(): Promise<Timestamp | undefined> {
    const heads = await this.heads();
    const kept = await readHubPartitions(this.#index.db, this.#accountId, this.hub);
    const now = Date.now();
    const found = heads.flatMap((head) => {
      const place = kept.find(({ partition }) => partition === head.partition)?.place;
      const { oldest, mark } = oldestUnread(head, place, this.#marks.get(head.partition), now);
      this.#marks.set(head.partition, mark);
      return oldest ?? [];
    });
    return found.length === 0 ? undefined : Math.min(...found);
  }

  /** @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE`. */
  async heads(abortSignal?: AbortSignal): Promise<readonly PartitionHead[]> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    return await this.#ask(abortSignal, async () =>
      Promise.all(
        (await this.#client.getPartitionIds(options)).map(async (partition) => {
          const told = await this.#client.getPartitionProperties(partition, options);
          const { beginningSequenceNumber: begin, lastEnqueuedSequenceNumber: last, isEmpty } = told;
          const { lastEnqueuedOffset: lastOffset, lastEnqueuedOnUtc } = told;
          return {
            partition,
            begin,
            last,
            lastAt: lastEnqueuedOnUtc.getTime(),
            lastOffset: String(lastOffset),
            isEmpty,
          };
        }),
      ),
    );
  }

  /**
   * When the hub was made.
   *
   * @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE`.
   */
  async madeAt(abortSignal: AbortSignal): Promise<Timestamp> {
    const { createdOn } = await this.#ask(abortSignal, () => this.#client.getEventHubProperties({ abortSignal }));
    return createdOn.getTime();
  }

  async #ask<T>(abortSignal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      abortSignal?.throwIfAborted();
      const message = `Event hub ${this.hub.eventHub}: ${messageOf(error)}`;
      throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await within(CLOSE_MS, this.#client.close());
  }
}

/**
 * When the oldest event that is not applied was enqueued. A hub tells that of its newest alone, and reading one would
 * disconnect whoever reads the partition: so it is the newest one's, where that is the only one; else as if they had
 * come evenly since the last that is applied, within what earlier glances prove.
 */
export function oldestUnread(
  { begin, last, lastAt, isEmpty }: Omit<PartitionHead, 'lastOffset'>,
  place: HubPlace | undefined,
  mark: HeadMark | undefined,
  now: Timestamp,
): { readonly oldest: Timestamp | undefined; readonly mark: HeadMark } {
  const applied = place?.sequence ?? -1;
  const isBehind = mark !== undefined && applied < mark.last;
  const next = isBehind ? mark : { last, lastAt, seenAt: now };
  if (isEmpty || last < Math.max(begin, applied + 1)) return { oldest: undefined, mark: next };
  const evenly =
    place === undefined ? lastAt : place.enqueuedAt + (lastAt - place.enqueuedAt) / Math.max(1, last - applied);
  const earliest = mark === undefined || isBehind ? evenly : Math.max(evenly, Math.min(mark.seenAt, lastAt));
  return { oldest: Math.round(isBehind ? Math.min(earliest, mark.lastAt) : earliest), mark: next };
}
