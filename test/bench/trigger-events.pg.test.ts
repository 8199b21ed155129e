import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { CONTAINER, eventOf, nameOf, seeded } from '../../bench/triggers/events.ts';
import { seedIndex } from '../../bench/triggers/seed-index.ts';
import { decodeTriggers } from '../../schema/events/decode.ts';
import { testIndex } from '../support/postgres.ts';

const KEYS = 200;

describe('the mix of the triggers benchmark', () => {
  it('overwrites and deletes names that the index has, and creates names that it has not', async () => {
    await using db = await testIndex();
    await seedIndex(db.url, KEYS);
    const { rows } = await sql<{ head: string }>`select head from entries`.execute(db.index.db);
    const known = new Set(rows.map(({ head }) => head));
    expect(known).toEqual(new Set(Array.from({ length: seeded(KEYS) }, (_, key) => nameOf(key))));
    const { read, refused } = decodeTriggers(Array.from({ length: 100 }, (_, number) => eventOf(number, KEYS)));
    expect(refused).toEqual([]);
    const events = read.flatMap((each) => (each.kind === 'event' ? [each.event] : []));
    expect(events.every(({ container }) => container === CONTAINER)).toBe(true);
    expect(events.filter(({ name }) => !known.has(name))).toHaveLength(60);
    expect(events.filter(({ effect }) => effect === 'delete')).toHaveLength(10);
    expect(events.every(({ effect, name }) => effect === 'put' || known.has(name))).toBe(true);
  });
});
