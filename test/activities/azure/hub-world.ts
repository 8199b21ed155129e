import { sql } from 'kysely';
import pg from 'pg';
import { inject } from 'vitest';
import { EventHubsQueue, type EventHubsQueueOptions } from '../../../activities/azure/event-hubs-queue.ts';
import { eventHubActivities } from '../../../activities/receive-event-hub.ts';
import type { Services } from '../../../activities/services.ts';
import type { HubOptions } from '../../../infra/local/event-hubs/event-hub.ts';
import { type RunningEventHubs, startEventHubs } from '../../../infra/local/event-hubs/event-hubs.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import { type Index, openIndex } from '../../../schema/index/database.ts';
import { readHubPartitions } from '../../../schema/index/event-hub-partitions.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { RefusedMessage, TriggerMessage } from '../../../schema/ports/trigger-queue.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';

const never = new AbortController().signal;

/** An event hub with four partitions, an index, and readers of both. */
export async function hubWorld(options: Partial<HubOptions> & { readonly file?: string } = {}) {
  const { file, ...hub } = options;
  const hubs = [{ name: 'h', partitions: 4, ...hub }];
  const db = await testIndex();
  const services = await testServices(db.index, {});
  const closing = new AsyncDisposableStack();
  let running = await startEventHubs({ port: 0, hubs, file });
  const { port, connectionString } = running;
  closing.use(db);
  closing.defer(() => running.stop());
  const source = { eventHub: 'h', consumerGroup: '$Default', connectionString };
  const name = { namespace: '127.0.0.1', eventHub: 'h', consumerGroup: '$Default' };

  function open(index: Index, given: Partial<EventHubsQueueOptions> = {}): EventHubsQueue {
    const queue = new EventHubsQueue({ source, index, accountId: services.account.id, ...given });
    closing.defer(() => queue.close());
    return queue;
  }

  return {
    get hubs(): RunningEventHubs {
      return running;
    },
    index: db.index,
    url: db.url,
    services,
    open: (given?: Partial<EventHubsQueueOptions>) => open(db.index, given),

    /** A reader whose process can be killed: its connections to the index and to the hub are gone from then on. */
    mortal() {
      const index = openIndex(db.url, { max: 4 });
      const queue = open(index);
      return {
        queue,
        index,
        kill: async () => {
          await index.close();
          running.cutConnections();
          await queue.close();
        },
      };
    },

    /** Lets the claims of the dead run out. */
    expireClaims: () => sql`update event_hub_partitions set owned_at = owned_at - 3600000`.execute(db.index.db),

    /** Numbers from a to b, each the creation of a blob of that name. */
    async publish(from: number, to: number, more: object = {}): Promise<void> {
      for (let at = from; at <= to; at++) {
        const event = eventOf(at, more);
        await running.publish('h', { messageId: event.id, body: event }, event.subject);
      }
    },

    async restart(): Promise<void> {
      await running.stop();
      running = await startEventHubs({ port, hubs, file });
    },

    /** The hub is deleted, and made again under its name. @param now of the new one, where its clock tells another time. */
    async makeAnew(now?: () => number): Promise<void> {
      await running.stop();
      running = await startEventHubs({ port, hubs, now });
    },

    places: async () =>
      Object.fromEntries(
        (await readHubPartitions(db.index.db, services.account.id, name)).map(({ partition, place }) => [
          partition,
          place?.sequence,
        ]),
      ),
    owners: async () =>
      (await readHubPartitions(db.index.db, services.account.id, name)).map(({ owner }) => owner).filter(Boolean),
    /** How far each partition goes. */
    ends: () =>
      Object.fromEntries(Object.entries(running.hubState('h')).map(([partition, { last }]) => [partition, last])),

    live: async () => (await countEntries(db.index.db, services.account.id)).live,

    /** Turns of the real intake, so many readers at a time, until it is so. */
    async intake(readers: number, until: () => Promise<boolean>, given: Partial<Services> = {}) {
      const { receiveEventHub } = eventHubActivities({ ...services, openEventHubs: () => open(db.index), ...given });
      const stop = Promise.withResolvers<void>();
      const turns = Array.from({ length: readers }, () =>
        runActivity(() => receiveEventHub({ seconds: 600 }), stop.promise),
      );
      try {
        await waitFor(until);
      } finally {
        stop.resolve();
      }
      const counts = await Promise.all(turns);
      const sum = (of: 'messages' | 'applied' | 'superseded' | 'ignored' | 'deadLettered') =>
        counts.reduce((total, each) => total + each[of], 0);
      return {
        messages: sum('messages'),
        applied: sum('applied'),
        superseded: sum('superseded'),
        ignored: sum('ignored'),
        deadLettered: sum('deadLettered'),
      };
    },

    /** The index takes no connection, and ends those that there are. */
    stopPostgres: () => allowConnections(db.url, false),
    startPostgres: () => allowConnections(db.url, true),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

export function eventOf(at: number, more: object = {}) {
  return {
    id: `id-${at}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name: `blob-${at}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: new Date().toISOString(),
    data: {
      api: 'PutBlob',
      eTag: `0x${at.toString(16)}`,
      contentLength: 1,
      blobType: 'BlockBlob',
      sequencer: at.toString(16).padStart(48, '0'),
    },
    ...more,
  };
}

/** The numbers of what was published. */
export const numbersOf = (messages: readonly TriggerMessage[]) =>
  messages
    .map(({ body }) => Number.parseInt(JSON.parse(Buffer.from(body as Uint8Array).toString()).data.sequencer, 16))
    .sort((a, b) => a - b);

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Receives until there are so many; nothing is committed. */
export async function receiveAll(
  queue: EventHubsQueue,
  count: number,
  receive = queue.receive.bind(queue),
): Promise<TriggerMessage[]> {
  const all: TriggerMessage[] = [];
  const until = Date.now() + PATIENCE_MS;
  while (all.length < count && Date.now() < until) all.push(...(await receive(1_000, 250, never)));
  return all;
}

/** Commits as the intake does. */
export async function commit(
  index: Index,
  queue: EventHubsQueue,
  messages: readonly TriggerMessage[],
  refused: readonly RefusedMessage[] = [],
): Promise<void> {
  await transact(index, (tx) => queue.commit(tx, messages, refused));
  await queue.complete(messages);
}

export async function waitFor(so: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; !(await so()); ) {
    if (Date.now() > until) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function allowConnections(url: string, allowed: boolean): Promise<void> {
  const database = new URL(url).pathname.slice(1);
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  await client.query(`alter database ${database} with allow_connections ${allowed}`);
  if (!allowed)
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
  await client.end();
}
