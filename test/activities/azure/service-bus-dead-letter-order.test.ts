import type { ServiceBusClient, ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { ServiceBusDeadLetters } from '../../../activities/azure/service-bus-dead-letters.ts';

const signal = new AbortController().signal;

type From = { readonly fromSequenceNumber: { toBytesBE(): number[] } };

/**
 * A partitioned queue: the partition is in the high bits of a sequence number. A peek goes by the number, and a receive
 * by whatever partition answers, here the last one first.
 */
function partitioned(partitions: number, each: number, lockedElsewhere: ReadonlySet<string> = new Set()) {
  const message = (partition: number, at: number) => ({
    sequenceNumber: (BigInt(partition) << 48n) + BigInt(at),
    applicationProperties: {},
  });
  const there = Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: each }, (_, at) => message(partition, at + 1)),
  );
  const byNumber = there.flat();
  const gone = new Set<object>();
  const locked = new Set<object>();
  const asked: number[] = [];
  const receiver = {
    peekMessages: async (max: number, { fromSequenceNumber }: From) => {
      const from = Buffer.from(fromSequenceNumber.toBytesBE()).readBigInt64BE();
      return byNumber.filter((one) => !gone.has(one) && one.sequenceNumber >= from).slice(0, max);
    },
    receiveMessages: async (max: number) => {
      asked.push(max);
      const free = there.toReversed().flat();
      const batch = free
        .filter((one) => !gone.has(one) && !locked.has(one) && !lockedElsewhere.has(String(one.sequenceNumber)))
        .slice(0, max);
      for (const one of batch) locked.add(one);
      return batch;
    },
    completeMessage: async (one: ServiceBusReceivedMessage) => void gone.add(one),
    abandonMessage: async (one: ServiceBusReceivedMessage) => void locked.delete(one),
  };
  const client = { createReceiver: () => receiver, close: async () => {} } as unknown as ServiceBusClient;
  const sequences = byNumber.map(({ sequenceNumber }) => String(sequenceNumber));
  return { letters: new ServiceBusDeadLetters(client, 'q'), sequences, asked, left: () => byNumber.length - gone.size };
}

describe('the dead letters of a partitioned queue', () => {
  it('are found where those with higher numbers are given first', async () => {
    const { letters, sequences, left } = partitioned(3, 50);
    const wanted = new Set([sequences[0] ?? '', sequences[45] ?? '', sequences[70] ?? '', '4711']);
    const missed = await letters.take(wanted, async (held) => void (await held.remove()), signal);
    expect([...missed]).toEqual(['4711']);
    expect(left()).toBe(147);
  });

  it('are asked for once more where somebody else has one of them, and then told as not had', async () => {
    const locked = partitioned(2, 3).sequences[0] ?? '';
    const { letters, asked, left } = partitioned(2, 3, new Set([locked]));
    const missed = await letters.take(new Set([locked]), async (held) => void (await held.remove()), signal);
    expect([...missed]).toEqual([locked]);
    expect(asked).toEqual([6, 1]);
    expect(left()).toBe(6);
  });
});
