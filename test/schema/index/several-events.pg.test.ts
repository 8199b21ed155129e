import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobEvent } from '../../../namespace/change.ts';
import { epochAt } from '../../../namespace/epoch.ts';
import { Tally } from '../../../schema/index/tally.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { IndexModel } from './model.ts';
import { apply, del, put, scopeOf, T0 } from './page.ts';
import { queuedLooks, storedEntries } from './read-index.ts';

/** Two names of one head, so that the rest of the key counts; one that says something else in JSON. */
const NAMES = ['a/b', '"\\{}', `${'長'.repeat(512)}x`, `${'長'.repeat(512)}y`];

/**
 * A page as a feed has them: one source, times and versions that go with the sequencers. What may be off is off for
 * the whole page, so that its groups still have a winner: its clock (by more than M), its epoch, its versions.
 */
const page = fc
  .record({
    events: fc.array(
      fc.record({
        name: fc.constantFrom(...NAMES),
        order: fc.integer({ min: 1, max: 40 }),
        deletes: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
      }),
      { minLength: 1, maxLength: 14 },
    ),
    late: fc.constantFrom(0, 0, 0, 19_000, 60_000),
    epoch: fc.constantFrom(undefined, undefined, epochAt(T0), epochAt(T0 + 1)),
    versions: fc.constantFrom(1, 1, 1, 2),
  })
  .map(({ events, late, epoch, versions }): readonly BlobEvent[] =>
    events.map(({ name, order, deletes }) => {
      const more = { epoch, time: T0 + order * 1_000 + late };
      if (deletes) return del(name, order, more);
      const attributes = { etag: `0x${Math.ceil(order / versions)}`, length: order };
      return put(name, order, { ...more, attributes });
    }),
  );

describe('several events of one key in a page', () => {
  let db: TestIndex;
  beforeAll(async () => {
    db = await testIndex();
  });
  afterAll(() => db[Symbol.asyncDispose]());

  it('1: meet an entry as one by one, in entries, looks and counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(page, { minLength: 2, maxLength: 6 }), async (pages) => {
        const scope = await scopeOf(db.index);
        const model = new IndexModel((key) => scope.rules.match(key), true);
        for (const events of pages) {
          const tally = new Tally();
          for (const event of events) tally.decision(model.event(event));
          const { applied, superseded, ignored, looks } = await apply(db.index, scope, events);
          const expected = tally.counts(events.length);
          expect({ applied, superseded, ignored, looks }).toEqual({
            applied: expected.applied,
            superseded: expected.superseded,
            ignored: expected.ignored,
            looks: expected.looks,
          });
          expect(await storedEntries(db.index, scope.account.id)).toEqual(model.sorted());
          expect(await queuedLooks(db.index, scope.account.id)).toEqual(model.queued());
        }
      }),
      { numRuns: 150 },
    );
  });
});
