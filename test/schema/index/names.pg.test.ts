import { createHash, randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys, compareUtf8, formatKey, type Key } from '../../../namespace/key.ts';
import { storedName } from '../../../schema/index/names.ts';
import { digestEntries, listEntries } from '../../../schema/index/queries.ts';
import { hasLiveBelow } from '../../../schema/index/stubs.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, del, put, scopeOf } from './page.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

/** 1,024 random characters of three bytes each: nothing that compresses. */
function longName(prefix = ''): string {
  const points = Array.from({ length: 1_024 - prefix.length }, () => randomInt(0x4e00, 0xa000));
  return prefix + String.fromCodePoint(...points);
}

async function listAll(accountId: number, prefix: string, limit: number): Promise<readonly Key[]> {
  const keys: Key[] = [];
  for (let after: Key | undefined; ; ) {
    const page = await listEntries(db.index.db, accountId, { prefix, after, limit });
    keys.push(...page.map(({ container, name }) => ({ container, name })));
    if (page.length < limit) return keys;
    after = keys.at(-1);
  }
}

describe('names in the index', () => {
  it('can have 1,024 characters of three or four bytes that do not compress', async () => {
    const scope = await scopeOf(db.index);
    const astral = Array.from({ length: 1_024 }, () => String.fromCodePoint(randomInt(0x20000, 0x2a000))).join('');
    const names = [...Array.from({ length: 50 }, () => longName()), astral];
    const counts = await apply(
      db.index,
      scope,
      names.map((name, at) => put(name, at + 1)),
    );
    expect(counts.applied).toBe(names.length);
    const listed = await listAll(scope.account.id, '', 7);
    expect(listed.map(({ name }) => name)).toEqual(names.toSorted(compareUtf8));
    await apply(
      db.index,
      scope,
      names.map((name, at) => del(name, at + 100)),
    );
    expect(await listAll(scope.account.id, '', 7)).toEqual([]);
  });

  const character = fc.constantFrom(
    'a',
    'b',
    '/',
    ' ',
    'é',
    '\u07ff',
    '長',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '🜁',
    '\u{10ffff}',
    '\x01',
    '%',
    '_',
  );
  const text = fc.array(character, { maxLength: 6 }).map((parts) => parts.join(''));
  const name = fc
    .oneof(
      { weight: 3, arbitrary: fc.tuple(fc.constant(''), text) },
      // Around the cut, in characters of one, three and four bytes.
      { weight: 2, arbitrary: fc.tuple(fc.constantFrom('a'.repeat(509), '長'.repeat(511), '🜁'.repeat(512)), text) },
    )
    .map(([start, end]) => `${start}${end}`)
    .filter((made) => made !== '');

  it('list and digest in the order of their UTF-8 bytes, across the cut, under every prefix', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ container: fc.constantFrom('lake', 'lake-2', '$root'), name }), {
          minLength: 1,
          maxLength: 25,
          selector: formatKey,
        }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (keys, limit, cut) => {
          const scope = await scopeOf(db.index);
          await apply(
            db.index,
            scope,
            keys.map((key, at) => put(key.name, at + 1, { container: key.container })),
          );
          const sorted = keys.toSorted(compareKeys);
          expect(await listAll(scope.account.id, '', limit)).toEqual(sorted);
          const points = Array.from(formatKey(keys[cut % keys.length] ?? { container: '', name: '' }));
          const prefix = points.slice(0, cut % (points.length + 1)).join('');
          const matching = sorted.filter((key) => formatKey(key).startsWith(prefix));
          expect(await listAll(scope.account.id, prefix, limit)).toEqual(matching);

          const hash = createHash('sha256');
          let bytes = 0;
          for (const key of matching) {
            const order = keys.findIndex((one) => formatKey(one) === formatKey(key)) + 1;
            hash.update(Buffer.from(`${key.container}/${key.name}\0${`0x${order}`}\0${order}\n`, 'utf8'));
            bytes += order;
          }
          expect(await digestEntries(db.index, scope.account.id, prefix)).toEqual({
            entries: matching.length,
            bytes,
            sha256: hash.digest('hex'),
          });
          for (const key of keys.slice(0, 3)) {
            const below = keys.some(
              (other) => other.container === key.container && other.name.startsWith(`${key.name}/`),
            );
            expect(await hasLiveBelow(db.index.db, scope.account.id, key)).toBe(below);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are cut so that ordering by head, then by tail is the order of the whole', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [left, right] = [storedName(a), storedName(b)];
        expect(left.head + left.tail).toBe(a);
        expect(Buffer.byteLength(left.head)).toBeLessThanOrEqual(2_048);
        expect(compareUtf8(left.head, right.head) || compareUtf8(left.tail, right.tail)).toBe(compareUtf8(a, b));
      }),
    );
  });
});
