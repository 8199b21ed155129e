import { describe, expect, it } from 'vitest';
import {
  countOpenLetters,
  keepDeadLetters,
  type NewDeadLetter,
  readLetter,
  readOpenLetters,
  settleLetter,
} from '../../../schema/index/dead-letters.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { scopeOf } from './page.ts';

function letter(over: Partial<NewDeadLetter> = {}): NewDeadLetter {
  const told = { reason: 'bad-event', description: 'data.api: expected string', enqueuedAt: 1_790_000_000_000 };
  return { origin: 'event-hubs', messageId: 'hub/0/17', body: { id: 'a' }, ...told, ...over };
}

describe('dead letters that the index keeps', () => {
  it.each([
    ['an object', { id: 'a', data: { name: 'half \ud800 of a pair and \0' } }],
    ['an array', [{ id: 'a' }, null]],
    ['text that is no JSON', '{"id": "torn \ud800\0'],
    ['nothing', null],
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe])],
  ])('give the body back as it came: %s', async (_, body) => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    await transact(db.index, (tx) => keepDeadLetters(tx, id, [letter({ body })]));
    expect(await readOpenLetters(db.index.db, id, { limit: 5 })).toMatchObject([{ ...letter(), body }]);
  });

  it('are kept whatever the body is', async () => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const odd = [10n, circle, undefined].map((body, at) => letter({ messageId: String(at), body }));
    expect(await transact(db.index, (tx) => keepDeadLetters(tx, id, odd))).toBe(3);
  });

  it('are one for one message of an origin, however long its id is, also once it was settled', async () => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    const long = 'ä'.repeat(5_000);
    const letters = [letter({ messageId: long }), letter({ messageId: `${long}b` }), letter({ messageId: long })];
    const keep = () => transact(db.index, (tx) => keepDeadLetters(tx, id, letters));
    expect(await keep()).toBe(2);
    const [first] = await readOpenLetters(db.index.db, id, { limit: 5 });
    expect(await transact(db.index, (tx) => settleLetter(tx, id, first?.id ?? 0, 'replayed'))).toBe(true);
    expect(await keep()).toBe(0);
    expect(await readOpenLetters(db.index.db, id, { limit: 5 })).toHaveLength(1);
    expect(await readLetter(db.index.db, id, first?.id ?? 0)).toMatchObject({ state: 'replayed' });
    const other = letter({ origin: 'event-grid', messageId: long });
    expect(await transact(db.index, (tx) => keepDeadLetters(tx, id, [other]))).toBe(1);
    expect(await countOpenLetters(db.index.db, id)).toEqual([
      { origin: 'event-grid', reason: 'bad-event', count: 1 },
      { origin: 'event-hubs', reason: 'bad-event', count: 1 },
    ]);
    expect(await countOpenLetters(db.index.db, id, 1)).toEqual([
      { origin: 'event-grid', reason: 'bad-event', count: 1 },
    ]);
  });

  it('are settled by one of two that try at once', async () => {
    await using db = await testIndex();
    const { id } = (await scopeOf(db.index)).account;
    await transact(db.index, (tx) => keepDeadLetters(tx, id, [letter()]));
    const [kept] = await readOpenLetters(db.index.db, id, { limit: 1 });
    const settle = (state: 'replayed' | 'discarded') =>
      transact(db.index, (tx) => settleLetter(tx, id, kept?.id ?? 0, state));
    const settled = await Promise.all([settle('replayed'), settle('discarded')]);
    expect(settled.toSorted()).toEqual([false, true]);
  });
});
