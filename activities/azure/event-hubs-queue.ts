import { setTimeout as sleep } from 'node:timers/promises';
import type { EventHubConsumerClient, PartitionContext, ReceivedEventData } from '@azure/event-hubs';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { Tx } from '../../schema/index/database.ts';
import { keepDeadLetters } from '../../schema/index/dead-letters.ts';
import { type HubMove, moveHubPlaces } from '../../schema/index/event-hub-partitions.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import {
  type RefusedMessage,
  type TriggerMessage,
  type TriggerQueue,
  TriggersLost,
} from '../../schema/ports/trigger-queue.ts';
import { EventHubsBacklog } from './event-hubs-backlog.ts';
import { type EventHubsSource, eventHubsClient, hubNameOf } from './event-hubs-client.ts';
import { forgetStrangePlace, forgetStrangePlaces, type Places } from './event-hubs-places.ts';
import { EventHubsStore, StoreError } from './event-hubs-store.ts';
import { type HeldEvent, PartitionTail, type Removed, StrangePlace } from './event-hubs-tail.ts';
import { Sleepers } from './sleepers.ts';
import { within } from './within.ts';

export interface EventHubsQueueOptions extends Places {
  readonly source: EventHubsSource;
  /** Told at once of events that are gone for good. They are in the journal as well, once what follows them is applied. */
  readonly onRemoved?: ((removed: Removed) => void) | undefined;
  /** Where nobody receives for this long, the partitions are given up. @default 3_000 */
  readonly idleMs?: number | undefined;
}

/** Events in one batch of the client: what one transaction takes. Its default is 1. */
const BATCH = 500;
/**
 * As many again, whatever it has asked for already: before each batch the client asks for so many more, and so its
 * default of three batches would only let what it has asked for grow faster, without bringing events sooner.
 */
const PREFETCH = BATCH;
/**
 * After a batch that was not full, before the client may ask for more, so that few batches ask for little more than
 * what comes: at 2,000 events a second links were closed ten times a second, and triggers late by seconds.
 */
const GATHER_MS = 100;
/** Beyond this the client's link is closed, and opens anew by itself: what it has asked for may come all at once. */
const MOST_ASKED = 10_000;
/** A partition that has so many events waiting is read on only when some of them are taken. */
const HOLD = 500;
/** The client notices a lost connection no sooner where it waits for events. */
const WAIT_SECONDS = 5;
/** A partition of which the client has said nothing for this long is stuck. */
const STUCK_MS = 60_000;
const CLOSE_MS = 5_000;
const IDLE_MS = 3_000;

/** What is open while this process reads. */
interface Reading {
  readonly client: EventHubConsumerClient;
  readonly store: EventHubsStore;
  readonly subscription: { close(): Promise<void> };
}

/**
 * One reader of an event hub. Azure's client balances the partitions over all readers, in every process; how far
 * each is applied is in the index and moves with the effect (invariants 3 and 4), so that whoever has a partition
 * next begins exactly there. A partition that was never read begins with its oldest event.
 *
 * Two readers may have one partition for a moment. Whoever commits first moves it; the other one loses its page, and
 * what it has of that partition is dropped.
 */
export class EventHubsQueue implements TriggerQueue {
  readonly #options: EventHubsQueueOptions;
  readonly #backlog: EventHubsBacklog;
  #reading: Reading | undefined;
  readonly #tails = new Map<string, PartitionTail>();
  /** Not handed out yet. */
  #waiting: HeldEvent[] = [];
  readonly #out = new Map<TriggerMessage, HeldEvent>();
  readonly #healed = new WeakSet<Removed>();
  readonly #sleepers = new Sleepers();
  /** Handlers of the client that wait for events to be taken. */
  #full: (() => void)[] = [];
  #failure: Error | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: EventHubsQueueOptions) {
    this.#options = options;
    this.#backlog = new EventHubsBacklog(options);
  }

  async receive(max: number, waitMs: number, signal: AbortSignal): Promise<readonly TriggerMessage[]> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    await this.#open(signal);
    await this.#sleepers.wait(waitMs, signal, () => this.#waiting.length > 0 || this.#failure !== undefined);
    if (this.#failure instanceof StrangePlace) await this.#beginAnew(this.#failure);
    if (this.#failure !== undefined) await this.#fail(this.#failure);
    if (this.#isStuck()) await this.#drop();
    await this.#healRemoved(max);
    const taken = this.#waiting.splice(0, max);
    for (const held of taken) {
      held.tail.waiting--;
      this.#out.set(held.trigger, held);
    }
    this.#letOn();
    this.#idle = setTimeout(() => void this.#dropIdle(), this.#options.idleMs ?? IDLE_MS).unref();
    return taken.map(({ trigger }) => trigger);
  }

  async commit(tx: Tx, messages: readonly TriggerMessage[], refused: readonly RefusedMessage[]): Promise<void> {
    const { accountId } = this.#options;
    const held = messages.flatMap((message) => this.#out.get(message) ?? []);
    if (held.length < messages.length) {
      // The others come again from here: what nobody settles would keep this reader from ever giving its partitions up.
      this.#giveBack(held);
      throw new TriggersLost('some of these events are not held any more');
    }
    const lost = await moveHubPlaces(tx, accountId, this.#backlog.hub, movesOf(held));
    if (lost.length > 0) {
      this.#lose(held, lost);
      const { eventHub } = this.#backlog.hub;
      throw new TriggersLost(`another reader of ${eventHub} has applied partition ${lost.join(', ')} meanwhile`);
    }
    await keepDeadLetters(
      tx,
      accountId,
      refused.map(({ message: { id, body, enqueuedAt }, reason, description }) => ({
        ...{ origin: 'event-hubs' as const, messageId: id, body, reason, description, enqueuedAt },
      })),
    );
    const removed = held.flatMap(({ removed: each }) => each ?? []);
    await recordJournal(
      tx,
      accountId,
      removed.map((detail) => ({ kind: 'event-hub-gap', detail: { ...this.#backlog.hub, ...detail } })),
    );
  }

  async complete(messages: readonly TriggerMessage[]): Promise<void> {
    for (const message of messages) this.#out.delete(message);
  }

  /** They come again from here, in front of the others. */
  async abandon(messages: readonly TriggerMessage[]): Promise<void> {
    this.#giveBack(messages.flatMap((message) => this.#out.get(message) ?? []));
  }

  /** It is among the dead letters already. */
  async deadLetter(message: TriggerMessage): Promise<void> {
    this.#out.delete(message);
  }

  oldest(): Promise<Timestamp | undefined> {
    return this.#backlog.oldest();
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await Promise.all([this.#drop(), this.#backlog.close()]);
    this.#out.clear();
  }

  async #open(signal: AbortSignal): Promise<void> {
    if (this.#reading !== undefined) return;
    const { index, accountId, source } = this.#options;
    this.#failure = undefined;
    await this.#unavailableUnless(() => forgetStrangePlaces(this.#options, this.#backlog, signal));
    const store = new EventHubsStore(index.db, accountId);
    const client = eventHubsClient(source, store);
    const mine = () => this.#reading?.client === client;
    const end = async (partitionId: string): Promise<void> => {
      if (mine()) this.#forget(partitionId);
      // Else nobody else takes it before its claim has run out.
      await store.release(hubNameOf(client, source), partitionId, client.identifier).catch(() => {});
    };
    const subscription = client.subscribe(
      {
        processInitialize: async ({ partitionId }) => {
          if (!mine()) return;
          this.#forget(partitionId);
          this.#tails.set(partitionId, new PartitionTail(partitionId, store.begunAfter(partitionId), Date.now()));
        },
        processEvents: (events, context) => this.#take(client, events, context),
        processError: async (error, { partitionId }) => {
          // A link that somebody takes over while the client closes it: no error of the client's, but the link's own as
          // AMQP tells it, and the client then says no more of the partition.
          if (!(error instanceof Error)) await end(partitionId);
          else this.#hear(error, mine());
        },
        processClose: async (_, { partitionId }) => await end(partitionId),
      },
      {
        maxBatchSize: BATCH,
        prefetchCount: PREFETCH,
        maxWaitTimeInSeconds: WAIT_SECONDS,
        startPosition: { offset: '-1' },
        skipParsingBodyAsJson: true,
      },
    );
    this.#reading = { client, store, subscription };
  }

  /** Returns when the client may ask for more. What it throws ends the reading of the partition, which then begins anew. */
  async #take(
    client: EventHubConsumerClient,
    events: readonly ReceivedEventData[],
    { partitionId }: PartitionContext,
  ): Promise<void> {
    const tail = this.#tails.get(partitionId);
    if (tail === undefined || tail.lost || this.#reading?.client !== client) throw new NotRead(partitionId);
    const held = tail.take(events);
    for (const { removed } of held) if (removed !== undefined) this.#options.onRemoved?.(removed);
    tail.waiting += held.length;
    this.#waiting.push(...held);
    if (held.length > 0) this.#sleepers.wake();
    tail.asked += PREFETCH - events.length;
    tail.heardAt = Number.POSITIVE_INFINITY;
    if (events.length > 0 && events.length < BATCH) await sleep(GATHER_MS);
    while (tail.waiting >= HOLD && !tail.lost && this.#tails.get(partitionId) === tail) {
      await new Promise<void>((resolve) => this.#full.push(resolve));
    }
    tail.heardAt = Date.now();
    // Else the client would go on to hold the partition for one that reads nothing of it.
    if (tail.lost) throw new NotRead(partitionId);
    if (tail.asked <= MOST_ASKED) return;
    tail.asked = 0;
    await closeLinks(client, partitionId);
  }

  /** The client heals by itself what it can; what it says of the index is the index's trouble. */
  #hear(error: Error, mine: boolean): void {
    if (!mine || error instanceof StoreError || error instanceof NotRead || this.#failure instanceof StrangePlace)
      return;
    const { code, retryable } = error as { readonly code?: string; readonly retryable?: boolean };
    if (retryable === true || code === 'ReceiverDisconnectedError' || error.name === 'AbortError') return;
    this.#failure = error;
    this.#sleepers.wake();
  }

  #letOn(): void {
    for (const resolve of this.#full.splice(0)) resolve();
  }

  #isStuck(): boolean {
    const now = Date.now();
    return [...this.#tails.values()].some(({ heardAt }) => now - heardAt > STUCK_MS);
  }

  /** Drops what is held of partitions that another one has applied, and gives the rest of the page back. */
  #lose(page: readonly HeldEvent[], lost: readonly string[]): void {
    for (const { trigger, tail } of page) {
      if (!lost.includes(tail.partition)) continue;
      this.#out.delete(trigger);
      tail.lost = true;
    }
    this.#waiting = this.#waiting.filter(({ tail }) => !tail.lost);
    this.#letOn();
    this.#giveBack(page.filter(({ tail }) => !tail.lost));
  }

  #giveBack(page: readonly HeldEvent[]): void {
    for (const { trigger } of page) this.#out.delete(trigger);
    // Of a partition that is read anew, they come from the hub.
    const again = page.filter(({ tail }) => this.#tails.get(tail.partition) === tail);
    for (const { tail } of again) tail.waiting++;
    const next = again.map((held) => ({ ...held, trigger: againOf(held.trigger) }));
    this.#waiting.unshift(...next);
    if (next.length > 0) this.#sleepers.wake();
  }

  /** The partition is not read here any more; what is handed out may still be committed. */
  #forget(partition: string): void {
    const tail = this.#tails.get(partition);
    if (tail === undefined) return;
    this.#tails.delete(partition);
    this.#waiting = this.#waiting.filter((held) => held.tail !== tail);
    this.#letOn();
  }

  async #dropIdle(): Promise<void> {
    // What is being applied is waited for: its partitions would only be read again from before it.
    if (this.#out.size > 0) this.#idle?.refresh();
    else await this.#drop();
  }

  /** Gives up every partition. The next `receive` opens anew, from what is applied by then. */
  async #drop(): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    for (const partition of [...this.#tails.keys()]) this.#forget(partition);
    this.#waiting = [];
    if (reading === undefined) return;
    const closing = reading.subscription.close().catch(() => {});
    await within(
      CLOSE_MS,
      closing.then(() => reading.client.close()),
    );
  }

  /** Before what comes after removed events is handed out, so that nothing moves past them. */
  async #healRemoved(max: number): Promise<void> {
    for (;;) {
      const removed = this.#waiting.slice(0, max).flatMap((held) => held.removed ?? []);
      const open = removed.filter((each) => !this.#healed.has(each));
      if (open.length === 0) return;
      await this.#unavailableUnless(() => this.#heal());
      for (const each of open) this.#healed.add(each);
    }
  }

  async #heal(): Promise<void> {
    try {
      await this.#options.heal?.();
    } catch (error) {
      const why = 'events were removed before they were read, and no reconcile could be asked for';
      throw new Error(`${why}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Reads a partition from its oldest event, since its place is of another hub. */
  async #beginAnew({ partition, place }: StrangePlace): Promise<void> {
    this.#failure = undefined;
    await this.#drop();
    const detail = { partition, place };
    await this.#unavailableUnless(() => forgetStrangePlace(this.#options, this.#backlog.hub, detail));
  }

  async #fail(error: unknown): Promise<never> {
    this.#failure = undefined;
    await this.#drop();
    return await this.#unavailableUnless(() => Promise.reject(error));
  }

  async #unavailableUnless<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof IsthmusError) throw error;
      const message = `Event hub ${this.#options.source.eventHub}: ${messageOf(error)}`;
      throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
    }
  }
}

/** The partition is not read here any more. */
class NotRead extends Error {
  constructor(partition: string) {
    super(`partition ${partition} is not read here any more`);
  }
}

/** One step for each partition, over its events of one page, which are in order. */
function movesOf(page: readonly HeldEvent[]): readonly HubMove[] {
  const moves = new Map<string, HubMove>();
  for (const { tail, before, place } of page) {
    const { partition } = tail;
    const begun = moves.get(partition);
    moves.set(partition, { partition, from: begun === undefined ? before : begun.from, to: place });
  }
  return [...moves.values()];
}

function againOf(trigger: TriggerMessage): TriggerMessage {
  return { ...trigger, deliveryCount: trigger.deliveryCount + 1 };
}

/**
 * Closes the client's link to a partition, between two batches: the client then opens another one behind what it has
 * handed over. It has no way of its own to take back what it asked for, and asks for more before each batch, also
 * where nothing came: after a quiet hour a burst would come whole, however slowly it is taken.
 */
async function closeLinks(client: EventHubConsumerClient, partition: string): Promise<void> {
  const { _context: context } = client as unknown as {
    readonly _context?: { readonly receivers?: Readonly<Record<string, { close(): Promise<void> }>> };
  };
  const links = Object.entries(context?.receivers ?? {}).filter(([name]) => name.includes(`/Partitions/${partition}-`));
  await Promise.all(links.map(([, link]) => link.close().catch(() => {})));
}
