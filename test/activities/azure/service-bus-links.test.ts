import type { ServiceBusClient, ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { ServiceBusQueue } from '../../../activities/azure/service-bus-queue.ts';

const { signal } = new AbortController();

/** What a peek of the queue tells, whoever holds it. */
interface Peeked {
  oldest?: Date;
}

/** Azure's client as far as the queue uses it: receivers that hear what the test lets them hear. */
function fakeClient(peeked: Peeked) {
  const receivers: FakeReceiver[] = [];
  const client = {
    createReceiver() {
      const receiver = new FakeReceiver(peeked);
      receivers.push(receiver);
      return receiver;
    },
    close: async () => {},
  };
  return { client: client as unknown as ServiceBusClient, receivers };
}

class FakeReceiver {
  closed = false;
  completed = 0;
  readonly #peeked: Peeked;
  #take: (message: ServiceBusReceivedMessage) => Promise<void> = async () => {};

  constructor(peeked: Peeked) {
    this.#peeked = peeked;
  }

  subscribe(handlers: { readonly processMessage: (message: ServiceBusReceivedMessage) => Promise<void> }) {
    this.#take = handlers.processMessage;
    return { close: async () => {} };
  }

  hear(count: number): void {
    for (let at = 0; at < count; at++) {
      void this.#take({ messageId: `id-${at}`, body: 'x', lockedUntilUtc: new Date(Date.now() + 60_000) } as never);
    }
  }

  async completeMessage(): Promise<void> {
    this.completed++;
  }

  async peekMessages() {
    const { oldest } = this.#peeked;
    return oldest === undefined ? [] : [{ enqueuedTimeUtc: oldest }];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function openQueue(peeked: Peeked = {}) {
  const { client, receivers } = fakeClient(peeked);
  const queue = new ServiceBusQueue(client, { queue: 'q', silenceMs: 0 });
  return { queue, receivers, peeked, [Symbol.asyncDispose]: () => queue.close() };
}

const closed = (receivers: readonly FakeReceiver[]) => receivers.map((each) => each.closed);

describe('the links of a Service Bus queue', () => {
  it('9: replaces a link to which nothing comes while thousands of messages come to the other', async () => {
    await using open = openQueue();
    const { queue, receivers } = open;
    await queue.receive(1, 0, signal);
    const [, lively] = receivers;
    for (let round = 0; round < 4; round++) {
      lively?.hear(500);
      expect(closed(receivers)).toEqual([false, false]);
      await queue.complete(await queue.receive(500, 0, signal));
    }
    lively?.hear(1);
    await queue.complete(await queue.receive(500, 0, signal));
    expect(closed(receivers)).toEqual([true, false, false]);
    receivers[2]?.hear(3);
    expect(await queue.receive(500, 0, signal)).toHaveLength(3);
    expect(lively?.completed).toBe(2_001);
  });

  it('leaves a link alone that is as quiet as the other', async () => {
    await using open = openQueue();
    for (let round = 0; round < 3; round++) {
      await open.queue.receive(1, 0, signal);
      open.receivers[round % 2]?.hear(900);
      await open.queue.complete(await open.queue.receive(1_000, 0, signal));
    }
    expect(closed(open.receivers)).toEqual([false, false]);
  });

  it('9: replaces all links where the queue has had messages for long and none comes', async () => {
    await using open = openQueue({ oldest: new Date(Date.now() - 60_000) });
    await open.queue.receive(1, 0, signal);
    await open.queue.receive(1, 0, signal);
    expect(closed(open.receivers).slice(0, 2)).toEqual([true, true]);
    open.receivers.at(-1)?.hear(1);
    expect(await open.queue.receive(1, 0, signal)).toHaveLength(1);
  });

  it('keeps links of which the messages are under way, however long nothing new comes', async () => {
    await using open = openQueue();
    await open.queue.receive(1, 0, signal);
    open.peeked.oldest = new Date(Date.now() - 60_000);
    open.receivers[0]?.hear(1);
    await open.queue.receive(1, 0, signal);
    await open.queue.receive(1, 0, signal);
    expect(closed(open.receivers)).toEqual([false, false]);
  });
});
