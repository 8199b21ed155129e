import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Told } from '../../../schema/index/binary-array.ts';
import { type PageColumn, pageRelation } from '../../../schema/index/page-columns.ts';
import { isStorable } from '../../../schema/index/storable.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

const hex = fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.string({ unit: 'binary', maxLength: 300 }).filter(isStorable);
const orNone = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const row = fc.record({
  text: orNone(fc.oneof(text, fc.constantFrom('', 'NULL', '"', '\\', '{}'))),
  bigint: orNone(fc.maxSafeInteger()),
  integer: orNone(fc.integer()),
  smallint: orNone(fc.integer({ min: -0x8000, max: 0x7fff })),
  boolean: orNone(fc.boolean()),
  bytea: orNone(hex),
});
type Row = Record<keyof typeof WIRES, Told>;
const WIRES = { text: 1, bigint: 1, integer: 1, smallint: 1, boolean: 1, bytea: 1 };
const columns = (Object.keys(WIRES) as (keyof Row)[]).map(
  (wire): PageColumn<Row> => ({ name: `"${wire}"`, wire, pick: (told) => told[wire] }),
);

async function received(rows: readonly Row[]): Promise<readonly Row[]> {
  const relation = pageRelation(rows, columns);
  const result = await sql<{ ord: number; bytea: Buffer | null } & Row>`select * from ${relation}`.execute(db.index.db);
  expect(result.rows.map(({ ord }) => ord)).toEqual(rows.map((_, at) => at + 1));
  return result.rows.map(({ ord: _, bytea, ...told }) => ({ ...told, bytea: bytea?.toString('hex') ?? null }));
}

const stored = (rows: readonly Row[]) =>
  rows.map((told) => Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value ?? null])));

describe('a page sent as columns', () => {
  it('arrives as it was, in its order, whatever its values are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        expect(await received(rows)).toEqual(stored(rows));
      }),
      { numRuns: 300 },
    );
  });

  it('arrives as it was where columns are the same in every row', async () => {
    await fc.assert(
      fc.asyncProperty(row, fc.integer({ min: 1, max: 5 }), async (same, times) => {
        const rows = Array.from({ length: times }, () => same);
        expect(await received(rows)).toEqual(stored(rows));
      }),
      { numRuns: 100 },
    );
  });

  it('arrives as it was with names of the full length, in every script', async () => {
    const rows = ['a'.repeat(1_024), '漢'.repeat(1_024), '😀'.repeat(512)].flatMap((name) =>
      Array.from({ length: 200 }, (_, at): Row => {
        return { text: `${name}${at}`, bigint: at, integer: at, smallint: at, boolean: at % 2 === 0, bytea: '00' };
      }),
    );
    expect(await received(rows)).toEqual(stored(rows));
  });
});
