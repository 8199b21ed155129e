import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { serviceBusClient } from '../../../activities/azure/service-bus-client.ts';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import type { QueuedDeadLetter } from '../../../schema/ports/dead-letter-queue.ts';
import { publish, type TestBroker, testBroker } from '../../infra/service-bus/broker.ts';

const signal = new AbortController().signal;

interface Buried extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly letters: ServiceBusDeadLetters;
  /** Another one, as another command opens it. */
  again(): ServiceBusDeadLetters;
  list(): Promise<QueuedDeadLetter[]>;
  /** What is in the queue itself now, taken out of it. */
  queued(): Promise<ServiceBusReceivedMessage[]>;
}

/** A queue whose first messages were dead-lettered. */
async function buried(count: number, options: Partial<QueueOptions> = {}): Promise<Buried> {
  const broker = await testBroker(options);
  await publish(broker, count);
  const receiver = broker.client.createReceiver('q', { skipParsingBodyAsJson: true });
  for (let left = count; left > 0; ) {
    const batch = await receiver.receiveMessages(left, { maxWaitTimeInMs: 5_000 });
    left -= batch.length;
    for (const message of batch) {
      await receiver.deadLetterMessage(message, {
        deadLetterReason: 'unknown-account',
        deadLetterErrorDescription: 'x',
      });
    }
  }
  await receiver.close();
  const opened: ServiceBusDeadLetters[] = [];
  const again = () => {
    const letters = new ServiceBusDeadLetters(serviceBusClient(broker.bus), 'q');
    opened.push(letters);
    return letters;
  };
  const letters = again();
  return {
    broker,
    letters,
    again,
    list: async () => {
      const all: QueuedDeadLetter[] = [];
      for await (const letter of letters.list(signal)) all.push(letter);
      return all;
    },
    queued: async () => {
      const client = broker.client.createReceiver('q', {
        receiveMode: 'receiveAndDelete',
        skipParsingBodyAsJson: true,
      });
      const { active } = broker.bus.queueState('q');
      const all: ServiceBusReceivedMessage[] = [];
      while (all.length < active) all.push(...(await client.receiveMessages(active, { maxWaitTimeInMs: 2_000 })));
      await client.close();
      return all;
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close();
      await broker[Symbol.asyncDispose]();
    },
  };
}

const numberOf = (body: unknown) => JSON.parse(Buffer.from(body as Uint8Array).toString()).at as number;

describe('the dead letters of a Service Bus queue', () => {
  it('are listed without being locked, with body, reason and delivery count', async () => {
    await using open = await buried(250);
    const all = await open.list();
    expect(all.map(({ body }) => numberOf(body))).toEqual(Array.from({ length: 250 }, (_, at) => at));
    expect(all[3]).toMatchObject({ messageId: 'id-3', reason: 'unknown-account', description: 'x', deliveryCount: 1 });
    expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 250, locked: 0 });
    expect(await open.letters.find(all[7]?.sequence ?? '', signal)).toEqual(all[7]);
    expect(await open.letters.find('4711', signal)).toBeUndefined();
  });

  it('go back to the queue with body and properties, under another id, and leave the dead letters', async () => {
    await using open = await buried(5, { duplicateWindowMs: 600_000 });
    const all = await open.list();
    const wanted = new Set([all[1]?.sequence ?? '', all[3]?.sequence ?? '']);
    const outcomes: string[] = [];
    const left = await open.letters.take(wanted, async (held) => void outcomes.push(await held.requeue()), signal);
    expect([...left]).toEqual([]);
    expect(outcomes).toEqual(['requeued', 'requeued']);
    const queued = await open.queued();
    expect(queued.map(({ body }) => numberOf(body)).toSorted()).toEqual([1, 3]);
    // Else duplicate detection would have dropped them, and nobody would have them any more.
    expect(queued.map(({ messageId }) => messageId).toSorted()).toEqual(['id-1#replay-2', 'id-3#replay-4']);
    expect(queued[0]).toMatchObject({ contentType: 'application/json', applicationProperties: {} });
    expect((await open.list()).map(({ body }) => numberOf(body))).toEqual([0, 2, 4]);
    // What was held on the way is free at once.
    expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 3, locked: 0 });
  });

  it('are in both queues after a crash between send and complete, and a second replay is one message', async () => {
    await using open = await buried(1, { duplicateWindowMs: 600_000, lockMs: 3_000 });
    const [letter] = await open.list();
    const wanted = new Set([letter?.sequence ?? '']);
    // The lock is gone when it is to be completed: what a process that died leaves behind.
    await open.letters.take(
      wanted,
      async (held) => {
        await open.broker.time.pass(3_500);
        expect(await held.requeue()).toBe('sent-and-kept');
      },
      signal,
    );
    expect(await open.list()).toHaveLength(1);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1 });
    await open.again().take(wanted, async (held) => void (await held.requeue()), signal);
    expect(await open.list()).toEqual([]);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1, duplicates: 1 });
  });

  it('stay, and are free again, where the queue does not accept them', async () => {
    await using open = await buried(1);
    const [letter] = await open.list();
    const refuses = { sendMessages: () => Promise.reject(new Error('the queue is full')) };
    const client = Object.assign(serviceBusClient(open.broker.bus), { createSender: () => refuses });
    const letters = new ServiceBusDeadLetters(client, 'q');
    const failing = letters.take(
      new Set([letter?.sequence ?? '']),
      async (held) => void (await held.requeue()),
      signal,
    );
    await expect(failing).rejects.toMatchObject({ code: 'ISTHMUS_SOURCE_UNAVAILABLE' });
    await letters.close();
    expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 1, locked: 0 });
  });

  it('are had by one of two that take them at once, and by the other when that one is done', async () => {
    await using open = await buried(3);
    const all = await open.list();
    const wanted = new Set([all[1]?.sequence ?? '']);
    const free = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const first = open.letters.take(
      wanted,
      async (held) => {
        taken.resolve();
        await free.promise;
        await held.requeue();
      },
      signal,
    );
    await taken.promise;
    let works = 0;
    const second = await open.again().take(wanted, async () => void works++, signal);
    expect([works, ...second]).toEqual([0, ...wanted]);
    free.resolve();
    expect((await first).size).toBe(0);
    expect(open.broker.bus.queueState('q')).toMatchObject({ active: 1 });
  });

  it('are asked for in the number that is there, so that nobody waits for one that is not', async () => {
    await using open = await buried(40);
    const asked: number[] = [];
    const client = serviceBusClient(open.broker.bus);
    const create = client.createReceiver.bind(client);
    client.createReceiver = ((...args: Parameters<typeof create>) => {
      const receiver = create(...args);
      const receive = receiver.receiveMessages.bind(receiver);
      receiver.receiveMessages = (count, options) => {
        asked.push(count);
        return receive(count, options);
      };
      return receiver;
    }) as typeof create;
    const letters = new ServiceBusDeadLetters(client, 'q');
    const last = (await open.list()).at(-1)?.sequence ?? '';
    const left = await letters.take(new Set([last, '4711']), async (held) => void (await held.remove()), signal);
    await letters.close();
    expect([...left]).toEqual(['4711']);
    expect(asked).toEqual([32, 8]);
    expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 39, locked: 0 });
  });

  it('are left as they are from the moment on at which it is interrupted', async () => {
    await using open = await buried(5);
    const all = await open.list();
    const stop = new AbortController();
    const left = await open.letters.take(
      new Set(all.map(({ sequence }) => sequence)),
      async (held) => {
        stop.abort();
        await held.remove();
      },
      stop.signal,
    );
    expect(left.size).toBe(4);
    expect(await open.list()).toHaveLength(4);
    expect(open.broker.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 4, locked: 0 });
  });
});
