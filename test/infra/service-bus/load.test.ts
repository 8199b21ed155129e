import { once } from 'node:events';
import type { ServiceBusReceiver } from '@azure/service-bus';
import rhea from 'rhea';
import { describe, expect, it } from 'vitest';
import { publish, testBroker } from './broker.ts';

/** Receives and completes until it is over. */
async function drainBy(receiver: ServiceBusReceiver, batch: number, seen: string[], over: () => boolean) {
  while (!over()) {
    const messages = await receiver.receiveMessages(batch, { maxWaitTimeInMs: 1_000 });
    await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    seen.push(...messages.map(({ messageId }) => String(messageId)));
  }
}

describe('under load', () => {
  it('goes on past the messages (2,048, here 8,192) after which a link of rhea stops where deliveries are not freed', async () => {
    await using broker = await testBroker();
    await publish(broker, 10_000);
    const receiver = broker.client.createReceiver('q');
    const seen: string[] = [];
    const began = broker.time.ms;
    while (seen.length < 10_000) {
      const messages = await receiver.receiveMessages(500, { maxWaitTimeInMs: 30_000 });
      expect(messages.length).toBeGreaterThan(0);
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
      seen.push(...messages.map(({ messageId }) => String(messageId)));
    }
    const perSecond = Math.round((seen.length / (broker.time.ms - began)) * 1_000);
    expect(new Set(seen).size).toBe(10_000);
    // 8,000/s on two cores that eight others used; a stopped link shows as no messages, not as few.
    expect(perSecond).toBeGreaterThan(500);
  });

  it('shares a queue between two receivers, each message with one of them', async () => {
    await using broker = await testBroker();
    await publish(broker, 4_000);
    const shares: [string[], string[]] = [[], []];
    const over = () => shares.flat().length >= 4_000;
    await Promise.all(shares.map((seen) => drainBy(broker.client.createReceiver('q'), 200, seen, over)));
    expect(new Set(shares.flat()).size).toBe(4_000);
    expect(shares.flat()).toHaveLength(4_000);
    for (const share of shares) expect(share.length).toBeGreaterThan(500);
  });

  it('answers a drain at once, also where fewer messages came than were asked for', async () => {
    await using broker = await testBroker();
    const receiver = broker.client.createReceiver('q');
    for (let turn = 0; turn < 20; turn++) {
      await publish(broker, turn);
      const began = broker.time.ms;
      const messages = await receiver.receiveMessages(20, { maxWaitTimeInMs: 100 });
      expect(messages).toHaveLength(turn);
      // Azure's client waits a second for more after the first message.
      expect(broker.time.ms - began).toBeLessThan(2_500);
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    }
  });

  it('answers a drain also where the last of the credit was spent on a message still under way', async () => {
    await using broker = await testBroker();
    await publish(broker, 1);
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: broker.bus.port, reconnect: false });
    const receiver = connection.open_receiver({ source: 'q', credit_window: 0, autoaccept: false });
    const drained = once(receiver, 'receiver_drained');
    const message = once(receiver, 'message');
    receiver.once('receiver_open', () => {
      receiver.add_credit(1);
      receiver.drain_credit();
    });
    await Promise.all([message, drained]);
    connection.close();
  });

  it('pushes to subscribers and takes their completions', async () => {
    await using broker = await testBroker();
    const seen = new Set<string>();
    const receiver = broker.client.createReceiver('q');
    receiver.subscribe(
      {
        processMessage: async ({ messageId }) => void seen.add(String(messageId)),
        processError: async () => {},
      },
      { maxConcurrentCalls: 200 },
    );
    await publish(broker, 3_000);
    await expect.poll(() => broker.bus.queueState('q').completed).toBe(3_000);
    expect(seen.size).toBe(3_000);
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, locked: 0, completed: 3_000 });
  });

  it('loses nothing when every connection is cut: the client comes back, locks run out, messages come again', async () => {
    await using broker = await testBroker({ lockMs: 500, maxDeliveryCount: 100 }, 2_000);
    await publish(broker, 600);
    const completed = new Set<string>();
    let cuts = 0;
    const receiver = broker.client.createReceiver('q', { maxAutoLockRenewalDurationInMs: 0 });
    const deadline = Date.now() + 120_000;
    while (broker.bus.queueState('q').completed < 600 && Date.now() < deadline) {
      const messages = await receiver.receiveMessages(100, { maxWaitTimeInMs: 700 }).catch(() => []);
      if (cuts < 3 && messages.length > 0) {
        cuts++;
        broker.bus.cutConnections();
      }
      const done = await Promise.allSettled(messages.map((message) => receiver.completeMessage(message)));
      for (const [at, { status }] of done.entries()) {
        if (status === 'fulfilled') completed.add(String(messages[at]?.messageId));
      }
    }
    expect(cuts).toBe(3);
    expect(broker.bus.queueState('q')).toMatchObject({ active: 0, locked: 0, deadLettered: 0, completed: 600 });
    expect(completed.size).toBeLessThanOrEqual(600);
  });
});
