import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { epochAt } from '../../../namespace/epoch.ts';
import { judgeIncarnation } from '../../../namespace/liveness.ts';
import { isDeadOrUnsureSql, isDeadSql, lives } from '../../../schema/index/lives.ts';
import { testIndex } from '../../support/postgres.ts';

const T0 = 1_700_000_000_000;
const MARGIN = 20_000;
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Every bound of the rules falls on a whole second, and so do times and creations; one millisecond either side as well. */
const time = fc
  .tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -1, max: 1 }))
  .map(([s, ms]) => T0 + s * 1_000 + ms);
const epoch = time.map((at) => epochAt(at));

describe('computed liveness in SQL', () => {
  it('1: is what namespace/ computes', async () => {
    await using db = await testIndex();
    const state = fc.record({ newestEpoch: optional(epoch), goneAt: optional(time) });
    const entry = fc.record({ epoch: optional(epoch), seen: time, look: optional(time) });
    await fc.assert(
      fc.asyncProperty(state, fc.array(entry, { minLength: 1, maxLength: 40 }), async (container, entries) => {
        const { rows } = await sql<{ dead: boolean; suspect: boolean }>`
          select ${isDeadSql} as dead, ${isDeadOrUnsureSql} as suspect
          from unnest(
            ${entries.map((one) => one.epoch ?? null)}::text[], ${entries.map((one) => one.seen)}::bigint[],
            ${entries.map((one) => one.look ?? null)}::bigint[]
          ) with ordinality as sent (hex, seen, look, ord)
          cross join lateral (select decode(sent.hex, 'hex') as epoch, sent.seen, sent.look) as e,
          ${lives([{ ...container, id: 1, margin: MARGIN }])}
          order by sent.ord`.execute(db.index.db);
        const expected = entries.map((one) => {
          const life = judgeIncarnation(one.epoch, one.seen, one.look !== undefined, container, MARGIN);
          return { dead: life === 'dead', suspect: life !== 'alive' };
        });
        expect(rows).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
