import { describe, expect, it, vi } from 'vitest';
import { ServiceBusQueue } from '../../../activities/azure/service-bus-queue.ts';
import { type FakeReceiver, fakeClient, type Peeked } from './fake-receiver.ts';

const { signal } = new AbortController();

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
