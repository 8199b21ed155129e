import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { serviceBusClient } from '../../../activities/azure/service-bus-client.ts';
import { ServiceBusQueue, type ServiceBusQueueOptions } from '../../../activities/azure/service-bus-queue.ts';
import type { QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';
import { startServiceBus } from '../../../infra/local/service-bus/service-bus.ts';
import type { TriggerMessage } from '../../../schema/ports/trigger-queue.ts';
import { OwnTime } from '../../support/own-time.ts';
import { PATIENCE_MS } from '../../support/patience.ts';

const signal = new AbortController().signal;

async function openQueue(broker: Partial<QueueOptions> = {}, options: Partial<ServiceBusQueueOptions> = {}) {
  const defaults = { name: 'q', lockMs: 30_000, maxDeliveryCount: 10, duplicateWindowMs: 0 };
  const time = new OwnTime();
  const queues = [{ ...defaults, ...broker }];
  const bus = await startServiceBus({ port: 0, queues, now: () => time.now() });
  const queue = new ServiceBusQueue(serviceBusClient(bus), { queue: 'q', ...options });
  return {
    bus,
    queue,
    /** The broker's clock: no lock runs out because the machine stood still. */
    time,
    publish: (at: number, messageId = `id-${at}`) =>
      bus.publish('q', { messageId, body: { at, pad: 'x'.repeat(500) } }),
    async [Symbol.asyncDispose]() {
      await queue.close();
      await bus.stop();
      time[Symbol.dispose]();
    },
  };
}

async function receiveAll(queue: ServiceBusQueue, count: number, batch = 500): Promise<TriggerMessage[]> {
  const all: TriggerMessage[] = [];
  const until = Date.now() + PATIENCE_MS;
  while (all.length < count && Date.now() < until) all.push(...(await queue.receive(batch, 500, signal)));
  return all;
}

const numbers = (messages: readonly TriggerMessage[]) =>
  messages.map(({ body }) => JSON.parse(Buffer.from(body as Uint8Array).toString()).at as number);

describe('the Service Bus queue', () => {
  it('4: settles what it is told to settle, and nothing else', async () => {
    await using open = await openQueue();
    for (let at = 0; at < 4; at++) await open.publish(at);
    const [a, b, c, d] = await receiveAll(open.queue, 4);
    if (!a || !b || !c || !d) throw new Error('expected four');
    await open.queue.complete([a]);
    await open.queue.deadLetter(b, 'not-json', 'the body is not JSON');
    await open.queue.abandon([c]);
    const again = await receiveAll(open.queue, 1);
    expect(numbers(again)).toEqual([2]);
    expect(again[0]?.deliveryCount).toBe(2);
    expect(open.bus.queueState('q')).toMatchObject({ locked: 2 });
    expect(open.bus.queueState('q/$DeadLetterQueue')).toMatchObject({ active: 1 });
  });

  it('4: gives each of two neighbours its own outcome, settled in one breath', async () => {
    await using open = await openQueue();
    for (let at = 0; at < 6; at++) await open.publish(at);
    const all = await receiveAll(open.queue, 6);
    await Promise.all(
      all.map((message, at) =>
        at % 3 === 0 ? open.queue.complete([message]) : open.queue.deadLetter(message, `reason-${at}`, 'no event'),
      ),
    );
    const client = serviceBusClient(open.bus);
    const receiver = client.createReceiver('q', { subQueueType: 'deadLetter', receiveMode: 'receiveAndDelete' });
    const dead: ServiceBusReceivedMessage[] = [];
    while (dead.length < 4) dead.push(...(await receiver.receiveMessages(6, { maxWaitTimeInMs: 2_000 })));
    await client.close();
    expect(dead.map((message) => message.deadLetterReason).sort()).toEqual([1, 2, 4, 5].map((at) => `reason-${at}`));
    expect(open.bus.queueState('q')).toMatchObject({ active: 0, locked: 0 });
  });

  it('hands a lone message over at once', async () => {
    await using open = await openQueue();
    expect(await open.queue.receive(10, 300, signal)).toEqual([]);
    const waiting = open.queue.receive(10, PATIENCE_MS, signal);
    await sleep(50);
    const began = open.time.ms;
    await open.publish(1);
    expect(await waiting).toHaveLength(1);
    expect(open.time.ms - began).toBeLessThan(800);
  });

  it('keeps its locks for longer than they last, two messages of one id among them', async () => {
    await using open = await openQueue({ lockMs: 2_000 });
    await open.publish(1, 'same');
    await open.publish(2, 'same');
    const held = await receiveAll(open.queue, 2);
    await open.time.pass(5_000);
    expect(await open.queue.receive(10, 100, signal)).toEqual([]);
    await open.queue.complete(held);
    expect(open.bus.queueState('q')).toMatchObject({ active: 0, locked: 0 });
  });

  it('gives back what it holds when it is closed', async () => {
    await using open = await openQueue();
    for (let at = 0; at < 10; at++) await open.publish(at);
    await receiveAll(open.queue, 1, 1);
    await open.queue.close();
    await expect.poll(() => open.bus.queueState('q')).toMatchObject({ active: 9, locked: 1 });
  });

  it('goes on after the connection is cut', async () => {
    await using open = await openQueue({ lockMs: 1_000 }, { silenceMs: 2_000 });
    await open.publish(1);
    const [first] = await receiveAll(open.queue, 1);
    open.bus.cutConnections();
    if (first) await open.queue.complete([first]);
    await open.publish(2);
    const seen = new Set<number>();
    for (let turn = 0; turn < 60 && !seen.has(2); turn++) {
      const messages = await open.queue.receive(10, 500, signal).catch(() => []);
      for (const number of numbers(messages)) seen.add(number);
      await open.queue.complete(messages);
    }
    expect(seen.has(2)).toBe(true);
  });

  it('tells when its oldest message came, whatever was received meanwhile', async () => {
    await using open = await openQueue();
    expect(await open.queue.oldest()).toBeUndefined();
    const before = open.time.now();
    await open.publish(1);
    const after = open.time.now();
    await open.time.pass(50);
    await open.publish(2);
    for (let twice = 0; twice < 2; twice++) {
      const oldest = await open.queue.oldest();
      expect(oldest).toBeGreaterThanOrEqual(before - 1);
      expect(oldest).toBeLessThanOrEqual(after);
    }
    await open.queue.complete(await receiveAll(open.queue, 2));
    expect(await open.queue.oldest()).toBeUndefined();
  });

  it('8: takes ten thousand messages and holds no more than it may', async () => {
    await using open = await openQueue();
    for (let at = 0; at < 10_000; at++) await open.publish(at);
    let seen = 0;
    let most = 0;
    while (seen < 10_000) {
      const messages = await open.queue.receive(500, 30_000, signal);
      most = Math.max(most, Number(open.bus.queueState('q').locked));
      await open.queue.complete(messages);
      seen += messages.length;
      expect(messages.length).toBeGreaterThan(0);
    }
    expect(most).toBeLessThanOrEqual(2_047);
    expect(open.bus.queueState('q')).toMatchObject({ active: 0, locked: 0 });
  });

  it('says which queue cannot be had', async () => {
    const open = await openQueue({}, { silenceMs: 0 });
    await open.bus.stop();
    await expect(open.queue.receive(1, 10, signal)).rejects.toMatchObject({ code: 'ISTHMUS_SOURCE_UNAVAILABLE' });
    await open.queue.close();
  });
});
