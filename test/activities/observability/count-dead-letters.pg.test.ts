import { describe, expect, it } from 'vitest';
import { countDeadLetters } from '../../../activities/observability/count-dead-letters.ts';
import { Metrics } from '../../../activities/observability/metrics.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { keepDeadLetters, type NewDeadLetter, settleLetter } from '../../../schema/index/dead-letters.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { QueuedDeadLetter } from '../../../schema/ports/dead-letter-queue.ts';
import { testIndex } from '../../support/postgres.ts';

const signal = new AbortController().signal;
const told = { body: {}, description: 'x', enqueuedAt: 0 };

/** A dead-letter queue without an end. */
async function* endless(asked: { count: number }): AsyncGenerator<QueuedDeadLetter> {
  for (;;) {
    const at = asked.count++;
    const reason = at % 4 === 0 ? `could not be read: "${at}"` : 'MaxDeliveryCountExceeded';
    yield { ...told, sequence: String(at), messageId: String(at), reason, deliveryCount: 10 };
  }
}

async function* take(count: number, from: AsyncGenerator<QueuedDeadLetter>): AsyncGenerator<QueuedDeadLetter> {
  for (let taken = 0; taken < count; taken++) {
    const { value } = await from.next();
    yield value;
  }
}

const KNOWN: ReadonlySet<string> = new Set(['MaxDeliveryCountExceeded', 'not-json']);

async function openSeries(metrics: Metrics): Promise<readonly string[]> {
  const lines = (await metrics.registry.metrics()).split('\n');
  return lines.filter(
    (line) => line.startsWith('isthmus_dead_letters_') || line.startsWith('isthmus_open_dead_letters'),
  );
}

describe('the gauge of dead letters', () => {
  it('8: counts those that are open by origin and reason, and of an endless queue the first hundred', async () => {
    await using db = await testIndex();
    const { id } = await ensureAccount(db.index, 'contoso');
    const letters = ['a', 'b', 'c'].map(
      (messageId): NewDeadLetter => ({ ...told, origin: 'event-grid', messageId, reason: 'not-json' }),
    );
    await transact(db.index, (tx) => keepDeadLetters(tx, id, letters));
    await transact(db.index, (tx) => settleLetter(tx, id, 2, 'discarded'));
    const asked = { count: 0 };
    const metrics = new Metrics();
    metrics.openLetters(await countDeadLetters(db.index.db, id, { list: () => endless(asked) }, signal));
    expect(await openSeries(metrics)).toEqual([
      'isthmus_open_dead_letters{origin="service-bus",reason="other"} 25',
      'isthmus_open_dead_letters{origin="service-bus",reason="MaxDeliveryCountExceeded"} 75',
      'isthmus_open_dead_letters{origin="event-grid",reason="not-json"} 2',
    ]);
    expect(asked.count).toBe(100);
    metrics.deadLetter('event-hubs', 'bad-event');
    metrics.openLetters(await countDeadLetters(db.index.db, id, undefined, signal));
    expect((await openSeries(metrics)).toSorted()).toEqual([
      'isthmus_dead_letters_total{origin="event-hubs",reason="bad-event"} 1',
      'isthmus_open_dead_letters{origin="event-grid",reason="not-json"} 2',
    ]);
  });

  it('says of each origin whether its count is all that there are', async () => {
    await using db = await testIndex();
    const { id } = await ensureAccount(db.index, 'contoso');
    const letter: NewDeadLetter = { ...told, origin: 'event-grid', messageId: 'a', reason: 'not-json' };
    await transact(db.index, (tx) => keepDeadLetters(tx, id, [letter]));
    const counted = async (queued: number) => {
      const list = () => take(queued, endless({ count: 1 }));
      const letters = await countDeadLetters(db.index.db, id, { list }, signal);
      return letters.filter(({ reason }) => KNOWN.has(reason));
    };
    const kept = { origin: 'event-grid', reason: 'not-json', count: 1, atLeast: false };
    const bus = { origin: 'service-bus', reason: 'MaxDeliveryCountExceeded' };
    expect(await counted(3)).toEqual([{ ...bus, count: 3, atLeast: false }, kept]);
    expect(await counted(850)).toEqual([{ ...bus, count: 75, atLeast: true }, kept]);
  });
});
