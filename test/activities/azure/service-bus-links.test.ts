import {
  type ProcessErrorArgs,
  type ServiceBusClient,
  ServiceBusError,
  type ServiceBusReceivedMessage,
} from '@azure/service-bus';
import { describe, expect, it, vi } from 'vitest';
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

type ProcessMessage = (message: ServiceBusReceivedMessage) => Promise<void>;
type ProcessError = (args: ProcessErrorArgs) => Promise<void>;

class FakeReceiver {
  closed = false;
  completed = 0;
  /** As where its link was lost: the client waits for an answer for as long as it is told to, and tries again. */
  answers = true;
  readonly #peeked: Peeked;
  /** Messages that the client has asked for and that have not come. */
  credit = 0;
  #take: ProcessMessage = async () => {};
  #tell: ProcessError = async () => {};

  constructor(peeked: Peeked) {
    this.#peeked = peeked;
  }

  subscribe(
    { processMessage, processError }: { processMessage: ProcessMessage; processError: ProcessError },
    { maxConcurrentCalls }: { maxConcurrentCalls: number },
  ) {
    this.credit += maxConcurrentCalls;
    this.#take = processMessage;
    this.#tell = processError;
    return { close: async () => {} };
  }

  /** As the client tells what has happened to its link, whether or not it goes on by itself. */
  async fail(code: 'MessagingEntityNotFound' | 'ServiceCommunicationProblem'): Promise<void> {
    const error = new ServiceBusError(`told by the test: ${code}`, code);
    error.retryable = code === 'ServiceCommunicationProblem';
    await this.#tell({ error, errorSource: 'receive', entityPath: 'q', fullyQualifiedNamespace: 'n', identifier: 'i' });
  }

  hear(count: number, body: string | Buffer = 'x'): void {
    for (let at = 0; at < count; at++) {
      const message = { messageId: `id-${at}`, body, lockedUntilUtc: new Date(Date.now() + 60_000) };
      this.credit--;
      // The client asks for one more where its handler has ended.
      void this.#take(message as never).then(() => {
        this.credit++;
      });
    }
  }

  /** As a queue that has messages without end: all that the client asks for, until it asks for none. @returns how many. */
  async hearAll(body: string | Buffer): Promise<number> {
    let heard = 0;
    for (; this.credit > 0; heard++) {
      this.hear(1, body);
      await Promise.resolve();
      await Promise.resolve();
    }
    return heard;
  }

  async completeMessage(): Promise<void> {
    if (!this.answers) await new Promise(() => {});
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

  it('waits no longer for the answer to a settlement than is worth it: what was not settled comes again', async () => {
    await using open = openQueue();
    const { queue, receivers } = open;
    await queue.receive(1, 0, signal);
    const [cut, whole] = receivers;
    cut?.hear(2);
    whole?.hear(2);
    const messages = await queue.receive(4, 0, signal);
    if (cut !== undefined) cut.answers = false;
    vi.useFakeTimers();
    try {
      let over = false;
      const settled = queue.complete(messages).then(() => {
        over = true;
      });
      await vi.advanceTimersByTimeAsync(1_000);
      expect([whole?.completed, over]).toEqual([2, false]);
      await vi.advanceTimersByTimeAsync(9_000);
      expect(over).toBe(true);
      await settled;
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps its links where the connection is lost, which the client heals, and what they hold', async () => {
    await using open = openQueue();
    await open.queue.receive(1, 0, signal);
    open.receivers[0]?.hear(1);
    for (const receiver of open.receivers) await receiver.fail('ServiceCommunicationProblem');
    expect(await open.queue.receive(1, 0, signal)).toHaveLength(1);
    expect(closed(open.receivers)).toEqual([false, false]);
  });

  it('9: says at once that the queue is gone, and opens other links for whoever asks again', async () => {
    await using open = openQueue();
    const waiting = open.queue.receive(1, 3_600_000, signal);
    await open.receivers[0]?.fail('MessagingEntityNotFound');
    await expect(waiting).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message: expect.stringContaining('queue q: told by the test'),
    });
    expect(closed(open.receivers)).toEqual([true, true]);
    await open.queue.receive(1, 0, signal);
    expect(closed(open.receivers)).toEqual([true, true, false, false]);
    open.receivers[3]?.hear(1);
    expect(await open.queue.receive(1, 0, signal)).toHaveLength(1);
  });

  it('8: asks for no more where it holds many bytes, and goes on as they are settled', async () => {
    await using open = openQueue();
    const { queue, receivers } = open;
    await queue.receive(1, 0, signal);
    const largest = Buffer.alloc(256 * 1024);
    let held = 0;
    for (const receiver of receivers) held += await receiver.hearAll(largest);
    expect(held).toBeGreaterThan(250);
    expect(held * largest.length).toBeLessThan(160 * 1024 * 1024);

    const taken = await queue.receive(2_000, 0, signal);
    expect(taken).toHaveLength(held);
    await queue.complete(taken.slice(held / 2));
    expect(receivers.map(({ credit }) => credit > 0)).toContain(true);
    await queue.complete(taken.slice(0, held / 2));
    let again = 0;
    for (const receiver of receivers) again += await receiver.hearAll(largest);
    expect(again).toBe(held);
  });

  it.each([2, 10, 300, 2_000])(
    '8: holds at most %d messages, however small, and asks for as many as it has settled',
    async (hold) => {
      const { client, receivers } = fakeClient({});
      const queue = new ServiceBusQueue(client, { queue: 'q', silenceMs: 0, hold });
      await queue.receive(1, 0, signal);
      for (const receiver of receivers) expect(await receiver.hearAll('x')).toBe(hold / 2);
      const taken = await queue.receive(hold, 0, signal);
      await queue.complete(taken.slice(0, 1));
      expect(receivers.map(({ credit }) => credit).toSorted()).toEqual([0, 1]);
      await queue.close();
    },
  );
});
