import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  EventHubConsumerClient,
  EventHubProducerClient,
  type EventPosition,
  earliestEventPosition,
  type PartitionContext,
  type ReceivedEventData,
  type SubscribeOptions,
} from '@azure/event-hubs';
import { describe, expect, it } from 'vitest';
import type { HubOptions } from '../../../infra/local/event-hubs/event-hub.ts';
import { type RunningEventHubs, startEventHubs } from '../../../infra/local/event-hubs/event-hubs.ts';

const RETRIES = { retryOptions: { retryDelayInMs: 50, maxRetryDelayInMs: 200, timeoutInMs: 20_000 } };

async function open(options: Partial<HubOptions> & { file?: string; port?: number } = {}) {
  const { file, port = 0, ...hub } = options;
  const hubs = [{ name: 'h', partitions: 4, ...hub }];
  const running = await startEventHubs({ port, hubs, file });
  return { running, [Symbol.asyncDispose]: () => running.stop() };
}

const clientOf = ({ connectionString }: RunningEventHubs, group = '$Default') =>
  new EventHubConsumerClient(group, connectionString, 'h', RETRIES);

/** Reads with Azure's own client until there are so many, or one of the errors. */
async function read(
  running: RunningEventHubs,
  count: number,
  options: SubscribeOptions = { startPosition: earliestEventPosition },
  only?: string,
) {
  const client = clientOf(running);
  const events: (ReceivedEventData & { partition: string })[] = [];
  const errors: Error[] = [];
  const done = Promise.withResolvers<void>();
  const handlers = {
    async processEvents(received: ReceivedEventData[], { partitionId }: PartitionContext) {
      events.push(...received.map((event) => ({ ...event, partition: partitionId })));
      if (events.length >= count) done.resolve();
    },
    async processError(error: Error) {
      errors.push(error);
      if (count === Number.POSITIVE_INFINITY) done.resolve();
    },
  };
  const settings = { maxBatchSize: 100, maxWaitTimeInSeconds: 1, ...options };
  const subscription =
    only === undefined ? client.subscribe(handlers, settings) : client.subscribe(only, handlers, settings);
  await done.promise;
  await subscription.close();
  await client.close();
  return { events, errors };
}

async function publish(running: RunningEventHubs, count: number, key?: (at: number) => string) {
  for (let at = 0; at < count; at++) {
    await running.publish('h', { messageId: `id-${at}`, body: { at } }, key?.(at));
  }
}

const from = (startPosition: EventPosition) => ({ startPosition });

describe('the stand-in for Event Hubs', () => {
  it("tells Azure's own client its partitions and how far they go", async () => {
    await using hub = await open();
    const client = clientOf(hub.running);
    expect((await client.getEventHubProperties()).partitionIds).toEqual(['0', '1', '2', '3']);
    expect(await client.getPartitionProperties('1')).toMatchObject({
      isEmpty: true,
      beginningSequenceNumber: 0,
      lastEnqueuedSequenceNumber: -1,
      lastEnqueuedOffset: '-1',
    });
    await publish(hub.running, 8);
    hub.running.removeBefore('h', '1', 1);
    expect(await client.getPartitionProperties('1')).toMatchObject({
      isEmpty: false,
      beginningSequenceNumber: 1,
      lastEnqueuedSequenceNumber: 1,
    });
    await client.close();
  });

  it('keeps the events of one key in one partition, in their order', async () => {
    await using hub = await open();
    await publish(hub.running, 300, (at) => `key-${at % 30}`);
    const { events } = await read(hub.running, 300);
    const partitions = new Map<string, Set<string>>();
    const last = new Map<string, number>();
    for (const { partitionKey, partition, sequenceNumber } of events) {
      const key = partitionKey ?? '';
      partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
      expect(sequenceNumber).toBe((last.get(partition) ?? -1) + 1);
      last.set(partition, sequenceNumber);
    }
    expect([...partitions.values()].map((each) => each.size)).toEqual(Array(30).fill(1));
    expect(last.size).toBeGreaterThan(1);
  });

  it("takes what Azure's own producer sends, one batch among it", async () => {
    await using hub = await open();
    const producer = new EventHubProducerClient(hub.running.connectionString, 'h', RETRIES);
    await producer.sendBatch(
      Array.from({ length: 50 }, (_, at) => ({ body: { at } })),
      { partitionId: '2' },
    );
    await producer.sendBatch([{ body: { at: 50 } }], { partitionKey: 'a' });
    await producer.sendBatch([{ body: { at: 51 } }], { partitionKey: 'a' });
    await producer.close();
    const { events } = await read(hub.running, 52);
    expect(events.map(({ body }) => body.at).sort((a, b) => a - b)).toEqual(Array.from({ length: 52 }, (_, at) => at));
    expect(new Set(events.filter(({ body }) => body.at >= 50).map(({ partition }) => partition)).size).toBe(1);
  });

  it('begins where a reader asks: after an offset, at a number, after a time, at the end', async () => {
    await using hub = await open({ partitions: 1 });
    await publish(hub.running, 5);
    const { events } = await read(hub.running, 5);
    const third = events[2];
    if (third === undefined) throw new Error('expected five events');
    const numbers = async (position: EventPosition, count: number) =>
      (await read(hub.running, count, from(position), '0')).events.map(({ body }) => body.at);
    expect(await numbers({ offset: third.offset }, 2)).toEqual([3, 4]);
    expect(await numbers({ sequenceNumber: 2, isInclusive: true }, 3)).toEqual([2, 3, 4]);
    expect(await numbers({ enqueuedOn: third.enqueuedTimeUtc.getTime() - 60_000 }, 5)).toEqual([0, 1, 2, 3, 4]);
    const late = numbers({ offset: '@latest' }, 1);
    await expect.poll(() => hub.running.hubState('h')['0']?.readers).toBe(1);
    await hub.running.publish('h', { messageId: 'late', body: { at: 99 } });
    expect(await late).toEqual([99]);
  });

  it('passes over what retention has removed, and refuses an offset that it never had', async () => {
    await using hub = await open({ partitions: 1 });
    await publish(hub.running, 10);
    const { events } = await read(hub.running, 10);
    hub.running.removeBefore('h', '0', 6);
    const after = await read(hub.running, 4, from({ offset: events[2]?.offset ?? '' }), '0');
    expect(after.events.map(({ sequenceNumber }) => sequenceNumber)).toEqual([6, 7, 8, 9]);
    const { errors } = await read(hub.running, Number.POSITIVE_INFINITY, from({ offset: '999999999' }), '0');
    expect(errors[0]?.message).toMatch(/The supplied offset '999999999' is invalid/);
  });

  it('gives a partition to the later of two readers with one owner level, and refuses a lower one', async () => {
    await using hub = await open({ partitions: 1 });
    const [first, second, lower] = [clientOf(hub.running), clientOf(hub.running), clientOf(hub.running)];
    const errors: Record<string, string> = {};
    const subscribe = (client: EventHubConsumerClient, name: string, ownerLevel: number) =>
      client.subscribe(
        '0',
        {
          processEvents: async () => {},
          processError: async (error) => {
            errors[name] ??= (error as { code?: string }).code ?? error.message;
          },
        },
        { ownerLevel, maxBatchSize: 10, maxWaitTimeInSeconds: 1, startPosition: earliestEventPosition },
      );
    subscribe(first, 'first', 7);
    await expect.poll(() => hub.running.hubState('h')['0']?.readers).toBe(1);
    subscribe(second, 'second', 7);
    await expect.poll(() => errors.first).toBe('ReceiverDisconnectedError');
    subscribe(lower, 'lower', 6);
    await expect.poll(() => errors.lower).toBe('ReceiverDisconnectedError');
    expect(hub.running.hubState('h')['0']?.readers).toBe(1);
    expect(errors.second).toBeUndefined();
    await Promise.all([first, second, lower].map((client) => client.close()));
  });

  it('goes on after a cut, and after a restart from its file, where the numbers go on as well', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-hubs-'));
    const file = path.join(folder, 'hubs.jsonl');
    const first = await startEventHubs({ port: 0, hubs: [{ name: 'h', partitions: 1 }], file });
    const { port } = first;
    await publish(first, 20);
    first.removeBefore('h', '0', 20);
    const client = clientOf(first);
    const seen: number[] = [];
    const subscription = client.subscribe(
      {
        processEvents: async (events) => void seen.push(...events.map(({ sequenceNumber }) => sequenceNumber)),
        processError: async () => {},
      },
      { maxBatchSize: 10, maxWaitTimeInSeconds: 1, startPosition: earliestEventPosition },
    );
    await publish(first, 5);
    await expect.poll(() => seen).toEqual([20, 21, 22, 23, 24]);
    first.cutConnections();
    await publish(first, 1);
    await expect.poll(() => seen.at(-1)).toBe(25);
    await first.stop();
    const again = await startEventHubs({ port, hubs: [{ name: 'h', partitions: 1 }], file });
    await publish(again, 1);
    await expect.poll(() => seen).toEqual([20, 21, 22, 23, 24, 25, 26]);
    await subscription.close();
    await client.close();
    await again.stop();
    await rm(folder, { recursive: true });
  });

  it('refuses a hub, a partition and a consumer group that it does not have', async () => {
    await using hub = await open();
    const none = new EventHubConsumerClient('other', hub.running.connectionString, 'h', RETRIES);
    const errors: string[] = [];
    none.subscribe(
      '0',
      { processEvents: async () => {}, processError: async (error) => void errors.push(error.message) },
      { startPosition: earliestEventPosition },
    );
    await expect.poll(() => errors[0]).toMatch(/could not be found/);
    await none.close();
    const client = new EventHubConsumerClient('$Default', hub.running.connectionString, 'absent', RETRIES);
    await expect(client.getEventHubProperties()).rejects.toThrow(/absent/);
    await client.close();
  });

  it('refuses a key that is wrong, as Azure does', async () => {
    await using hub = await open();
    const connection = hub.running.connectionString.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=wrong');
    const client = new EventHubConsumerClient('$Default', connection, 'h', { retryOptions: { maxRetries: 0 } });
    const refused = { code: 'UnauthorizedError', message: expect.stringContaining('InvalidSignature') };
    await expect(client.getPartitionIds()).rejects.toMatchObject(refused);
    await client.close();
  });
});
