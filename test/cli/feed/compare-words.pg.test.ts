import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { compareWords, type WordCounts } from '../../../cli/feed/verify/compare-words.ts';
import type { Finding } from '../../../cli/feed/verify/finding.ts';
import { LastWords } from '../../../cli/feed/verify/last-words.ts';
import { compileRules } from '../../../namespace/authority.ts';
import type { BlobEvent, LookAnswer } from '../../../namespace/change.ts';
import { formatKey } from '../../../namespace/key.ts';
import { ensureAccount, raiseHorizon, readAccount } from '../../../schema/index/accounts.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import { transact } from '../../../schema/index/transact.ts';
import * as arbitrary from '../../schema/index/arbitraries.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { testIndex } from '../../support/postgres.ts';

/** A look comes after what wanted it. */
const LOOKED_AT = arbitrary.T0 + 200_000;
const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(arbitrary.event, { minLength: 1, maxLength: 14 })
      .map((events) => ({ do: 'events' as const, events })),
  },
  {
    weight: 3,
    arbitrary: fc
      .uniqueArray(
        fc.record({
          container: arbitrary.container,
          name: arbitrary.name,
          found: fc.option(arbitrary.attributes, { nil: undefined }),
        }),
        { selector: formatKey, maxLength: 6 },
      )
      .map((found) => ({ do: 'look' as const, found })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('gone' as const), container: arbitrary.container, at: arbitrary.time }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('horizon' as const), at: arbitrary.time }) },
  { weight: 1, arbitrary: fc.constant({ do: 'distrust' as const }) },
);

function isRival(event: BlobEvent, other: BlobEvent): boolean {
  return other.source === 'feed' && formatKey(event) === formatKey(other) && event.sequencer === other.sequencer;
}

it('1: an index that has taken every event, in whatever order and company, does not differ from the last words', async () => {
  await using db = await testIndex();
  const { index } = db;
  const rules = compileRules({ revision: 1, rules: RULES });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const name = randomUUID();
      const account = await ensureAccount(index, name);
      await publishRules(index, account.id, RULES, 'test');
      const scope = { account, rules, ruleRevision: 1, policy: { margin: account.margin, looks: true } };
      const told: BlobEvent[] = [];
      for (const [at, each] of steps.entries()) {
        if (each.do === 'events') {
          // A feed tells one state at one sequencer of a key.
          const events = each.events.filter(
            (event, at) =>
              event.source === 'trigger' ||
              ![...told, ...each.events.slice(0, at)].some((other) => isRival(event, other)),
          );
          told.push(...events.filter(({ source }) => source === 'feed'));
          if (events.length > 0) await transact(index, (tx) => applyEvents(tx, { ...scope, events }));
        } else if (each.do === 'look') {
          const entries = new Map((await storedEntries(index, account.id)).map((entry) => [formatKey(entry), entry]));
          const answers = each.found.map((found): LookAnswer => {
            const entryRevision = entries.get(formatKey(found))?.revision ?? 0;
            return { ...found, kind: 'look', time: LOOKED_AT + at, eventId: `look ${at}`, entryRevision };
          });
          await transact(index, (tx) => applyLooks(tx, { ...scope, answers }));
        } else if (each.do === 'gone') {
          await transact(index, (tx) => noteContainerGone(tx, account.id, each.container, each.at));
        } else if (each.do === 'horizon') await transact(index, (tx) => raiseHorizon(tx, account.id, each.at));
        else {
          await sql`update accounts set triggers_distrusted_at = 1 where id = ${account.id}`.execute(index.db);
          // The feed is then read again from before the first trigger.
          if (told.length > 0) await transact(index, (tx) => applyEvents(tx, { ...scope, events: told }));
        }
      }

      const client = await index.pool.connect();
      try {
        const words = await LastWords.create(client);
        for (const [at, event] of told.entries()) await words.add(event, { chunk: 'c', offset: at, index: 0 });
        const keys = await words.seal();
        const counts: WordCounts = { agree: 0, looksDue: 0, past: 0, differ: 0 };
        const found: Finding[] = [];
        const now = (await readAccount(index.db, name)) ?? account;
        for await (const each of compareWords(client, index, now, counts, new AbortController().signal))
          found.push(each);
        expect(found).toEqual([]);
        expect(counts.agree + counts.looksDue + counts.past).toBe(keys);
      } finally {
        client.release(true);
      }
    }),
    { numRuns: Number(process.env.ISTHMUS_DIFFERENTIAL_RUNS ?? 60), endOnFailure: true },
  );
});
