import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newLockToken, reorderLockToken } from '../../../infra/local/service-bus/lock-token.ts';
import { MessageQueue, type QueueLog, type QueueOptions } from '../../../infra/local/service-bus/message-queue.ts';

const OPTIONS: QueueOptions = { name: 'q', lockMs: 100, maxDeliveryCount: 3, duplicateWindowMs: 0 };
const NO_LOG: QueueLog = { enqueued: () => {}, delivered: () => {}, settled: () => {} };

function queueOf(options: Partial<QueueOptions> = {}): MessageQueue {
  return new MessageQueue({ ...OPTIONS, ...options }, NO_LOG);
}

describe('a queue', () => {
  it('gives back a message whose lock has run out, with a higher delivery count, and dead-letters it in the end', () => {
    const queue = queueOf();
    queue.enqueue({ message_id: 'a', body: 1 }, 0);
    for (const [delivery, now] of [0, 100, 200].entries()) {
      const locked = queue.lock(now);
      expect(locked?.message.deliveryCount).toBe(delivery);
      expect(queue.expire(now + 99)).toBe(0);
      expect(queue.expire(now + 100)).toBe(1);
    }
    expect(queue.lock(300)).toBeUndefined();
    expect(queue.state()).toMatchObject({ active: 0, locked: 0, deadLettered: 1 });
    const buried = queue.deadLetters?.lock(300)?.message;
    expect(buried?.content.application_properties).toMatchObject({ DeadLetterReason: 'MaxDeliveryCountExceeded' });
    expect(buried?.deadLetterSource).toBe('q');
  });

  it('refuses to settle under a lock that has run out, even before it was given back', () => {
    const queue = queueOf();
    queue.enqueue({ message_id: 'a', body: 1 }, 0);
    const locked = queue.lock(0);
    const token = locked?.token ?? Buffer.alloc(16);
    expect(queue.complete(token, 100)).toBe('lock-lost');
    expect(queue.expire(100)).toBe(1);
    expect(queue.renew(token, 100)).toBeUndefined();
    expect(queue.state().active).toBe(1);
  });

  it('keeps a renewed lock past the locks that were given after it', () => {
    const queue = queueOf();
    for (const id of ['a', 'b']) queue.enqueue({ message_id: id, body: id }, 0);
    const first = queue.lock(0);
    queue.lock(10);
    expect(queue.renew(first?.token ?? Buffer.alloc(16), 50)).toBe(150);
    expect(queue.expire(110)).toBe(1);
    expect(queue.lock(110)?.message.content.message_id).toBe('b');
  });

  it('drops a message whose id was seen within the window, and takes it after', () => {
    const queue = queueOf({ duplicateWindowMs: 1_000 });
    expect(queue.enqueue({ message_id: 'a', body: 1 }, 0)).toBe('enqueued');
    expect(queue.enqueue({ message_id: 'a', body: 2 }, 999)).toBe('duplicate');
    expect(queue.enqueue({ message_id: 'a', body: 3 }, 1_000)).toBe('enqueued');
    expect(queue.state()).toMatchObject({ enqueued: 2, duplicates: 1 });
  });

  it('gives a deferred message only to whoever names its sequence number, and defers it again when that lock runs out', () => {
    const queue = queueOf({ maxDeliveryCount: 10 });
    queue.enqueue({ message_id: 'a', body: 1 }, 0);
    queue.defer(queue.lock(0)?.token ?? Buffer.alloc(16), 0);
    expect(queue.lock(0)).toBeUndefined();
    expect(queue.lockDeferred([1], 0)).toHaveLength(1);
    expect(queue.lockDeferred([1], 0)).toHaveLength(0);
    queue.expire(100);
    expect(queue.state()).toMatchObject({ active: 0, locked: 0, deferred: 1 });
    const [again] = queue.lockDeferred([1], 100);
    expect(queue.complete(again?.token ?? Buffer.alloc(16), 100)).toBe('settled');
    expect(queue.state()).toMatchObject({ active: 0, deferred: 0, oldest: undefined });
  });

  it('loses no message and gives none to two receivers, whatever is done in whatever order', () => {
    const step = fc.record({
      what: fc.constantFrom('enqueue', 'lock', 'complete', 'abandon', 'defer', 'undefer', 'bury', 'renew', 'wait'),
      pick: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = queueOf({ maxDeliveryCount: 5 });
        const held = new Map<string, { token: Buffer; until: number; sequence: number }>();
        let now = 0;
        let enqueued = 0;
        let completed = 0;
        const hold = (token: Buffer, until: number, sequence: number): void => {
          const live = [...held.values()].filter((other) => other.until > now);
          expect(live.map((other) => other.sequence)).not.toContain(sequence);
          held.set(token.toString('hex'), { token, until, sequence });
        };
        for (const { what, pick } of steps) {
          const lock = [...held.values()][pick % Math.max(1, held.size)];
          const expected = lock && lock.until > now ? 'settled' : 'lock-lost';
          if (what === 'enqueue') queue.enqueue({ message_id: String(enqueued++), body: 0 }, now);
          else if (what === 'wait') {
            now += pick;
            queue.expire(now);
          } else if (what === 'lock') {
            const taken = queue.lock(now);
            if (taken) hold(taken.token, taken.lockedUntil, taken.message.sequence);
          } else if (what === 'undefer') {
            for (const { token, lockedUntil, message } of queue.lockDeferred([pick], now)) {
              hold(token, lockedUntil, message.sequence);
            }
          } else if (lock && what === 'renew') {
            const until = queue.renew(lock.token, now);
            expect(until !== undefined).toBe(expected === 'settled');
            if (until !== undefined) lock.until = until;
          } else if (lock) {
            const settle = { complete: 'complete', abandon: 'abandon', defer: 'defer', bury: 'deadLetter' } as const;
            const method = settle[what as keyof typeof settle];
            expect(queue[method](lock.token, now, {})).toBe(expected);
            held.delete(lock.token.toString('hex'));
            if (method === 'complete' && expected === 'settled') completed++;
          }
        }
        const { active, locked, deferred, deadLettered } = queue.state();
        expect(active + locked + deferred + deadLettered + completed).toBe(enqueued);
        expect(queue.peek(0, 1_000)).toHaveLength(active + locked + deferred);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a lock token', () => {
  it('is the same after being reordered twice, and another each time', () => {
    const token = newLockToken();
    expect(reorderLockToken(reorderLockToken(token))).toEqual(token);
    expect(newLockToken()).not.toEqual(token);
    expect(reorderLockToken(Buffer.from('00112233445566778899aabbccddeeff', 'hex')).toString('hex')).toBe(
      '33221100554477668899aabbccddeeff',
    );
  });
});
