import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileRules } from '../../../namespace/authority.ts';
import type { BlobEvent, ListedRow, LookAnswer, SubtreeGone } from '../../../namespace/change.ts';
import { formatKey } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { ensureAccount, raiseHorizon } from '../../../schema/index/accounts.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { applyListed } from '../../../schema/index/apply-listed.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import { stepSubtree } from '../../../schema/index/subtree-step.ts';
import { claimSubtree, noteSubtrees } from '../../../schema/index/subtrees.ts';
import { transact } from '../../../schema/index/transact.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import * as arbitrary from './arbitraries.ts';
import { IndexModel } from './model.ts';
import { queuedLooks, storedEntries } from './read-index.ts';

type Step =
  | { readonly do: 'events'; readonly events: readonly BlobEvent[] }
  | { readonly do: 'answer'; readonly picks: readonly Omit<LookAnswer, 'kind' | 'entryRevision'>[] }
  | { readonly do: 'list'; readonly rows: readonly Omit<ListedRow, 'kind'>[] }
  | { readonly do: 'gone'; readonly container: string; readonly at: number }
  | { readonly do: 'horizon'; readonly at: number }
  | { readonly do: 'note'; readonly directory: string; readonly container: string; readonly at: number }
  | { readonly do: 'work'; readonly limit: number };

const LONG = '長'.repeat(512);
/** Few names below few directories, so that what is told of one meets its directory's end in nearly every history. */
const name = fc.constantFrom('d/a', 'd/b', 'd/e/x', 'd/v/x', 'd', 'dd/a', `d/${LONG}x`, `d/${LONG}y`);
const directory = fc.constantFrom('d', 'd', 'd', 'd/e', 'd/v');
const container = fc.constantFrom('alpha', 'alpha', 'alpha', 'beta');
const key = fc.record({ container, name });
/** A write as nearly all are, and now and then one that says anything: that makes most names wait for a look. */
const tidy = fc.record({ of: key, order: fc.integer({ min: 1, max: 9 }), eventId: fc.uuid() }).map(
  ({ of, order, eventId }): BlobEvent => ({
    ...{ kind: 'event', source: 'trigger', effect: 'put', ...of, eventId, api: 'FlushWithClose' },
    ...{ attributes: { etag: `0xT${order}`, length: order }, sequencer: parseSequencer(order.toString(16)) },
    ...{ epoch: undefined, time: arbitrary.T0 + order * 9_000 },
  }),
);
const events = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: tidy },
      { weight: 1, arbitrary: fc.tuple(arbitrary.event, key).map(([event, of]): BlobEvent => ({ ...event, ...of })) },
    ),
    { minLength: 8, maxLength: 14 },
  )
  .map((list): Step => ({ do: 'events', events: list }));
const answer = fc
  .uniqueArray(
    fc
      .record({ of: key, found: fc.option(arbitrary.attributes, { nil: undefined }), time: arbitrary.time })
      .map(({ of, ...rest }) => ({ ...of, ...rest, eventId: 'look' })),
    { selector: formatKey, maxLength: 5 },
  )
  .map((picks): Step => ({ do: 'answer', picks }));
const list = fc
  .record({
    rows: fc.uniqueArray(
      fc.record({ of: key, found: arbitrary.attributes }).map(({ of, found }) => ({ ...of, found })),
      { selector: formatKey, maxLength: 5 },
    ),
    at: arbitrary.time,
    run: fc.uuid(),
  })
  .map(({ rows, at, run }): Step => {
    return { do: 'list', rows: rows.map((row) => ({ ...row, from: at, to: at, eventId: `run/${run}` })) };
  });
const gone = fc.record({ do: fc.constant('gone' as const), container, at: arbitrary.time });
const horizon = fc.record({ do: fc.constant('horizon' as const), at: arbitrary.time });
const note = fc.record({
  do: fc.constant('note' as const),
  directory,
  container,
  at: arbitrary.time,
});
const work = fc.record({ do: fc.constant('work' as const), limit: fc.integer({ min: 1, max: 6 }) });
const step = fc.oneof(
  { weight: 3, arbitrary: events },
  { weight: 3, arbitrary: answer },
  { weight: 2, arbitrary: list },
  { weight: 1, arbitrary: gone },
  { weight: 1, arbitrary: horizon },
  { weight: 4, arbitrary: note },
  { weight: 8, arbitrary: work },
);
/** Names are told of before the first directory goes, and there are always so many steps: short histories meet nothing. */
const history = fc
  .tuple(events, events, note, fc.array(step, { minLength: 12, maxLength: 20, size: 'max' }))
  .map(([first, second, went, steps]): readonly Step[] => [first, second, went, ...steps]);

/** A subtree that spans several: each name is treated by its own; in `beta` most names have none. */
const RULES: readonly Rule[] = [
  { prefix: 'alpha/', authority: 'blob', sink: 'vast' },
  { prefix: 'alpha/d/v/', authority: 'vast', sink: 'vast' },
  { prefix: 'alpha/d/e/', authority: 'blob', sink: 'other' },
  { prefix: 'beta/d/e/', authority: 'blob', sink: 'vast' },
];
const MARGIN = 20_000;
const RUNS = Number(process.env.ISTHMUS_DIFFERENTIAL_RUNS ?? 60);

describe('directories that went, in SQL', () => {
  let db: TestIndex;
  beforeAll(async () => {
    db = await testIndex();
  });
  afterAll(() => db[Symbol.asyncDispose]());

  it('1: agrees with deciding name by name, wherever steps are cut and whatever comes between them', async () => {
    const rules = compileRules({ revision: 1, rules: RULES });
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const account = await ensureAccount(db.index, randomUUID());
        await publishRules(db.index, account.id, RULES, 'test');
        const scope = { account, rules, ruleRevision: 1, policy: { margin: MARGIN, looks: true } };
        const model = new IndexModel((of) => rules.match(of), true);
        const open: { readonly gone: SubtreeGone; after: string }[] = [];
        for (const [at, step] of steps.entries()) {
          switch (step.do) {
            case 'events':
              for (const event of step.events) model.event(event);
              await transact(db.index, (tx) => applyEvents(tx, { ...scope, events: step.events }));
              break;
            case 'answer': {
              const answers = step.picks.map((pick): LookAnswer => {
                return { ...pick, kind: 'look', entryRevision: model.entries.get(formatKey(pick))?.revision ?? 0 };
              });
              for (const one of answers) model.look(one);
              await transact(db.index, (tx) => applyLooks(tx, { ...scope, answers }));
              break;
            }
            case 'list': {
              const rows = step.rows.map((row): ListedRow => ({ ...row, kind: 'listed' }));
              for (const row of rows) model.listed(row, true);
              await transact(db.index, (tx) => applyListed(tx, { ...scope, rows, strong: true }));
              break;
            }
            case 'gone':
              model.gone(step.container, step.at);
              await transact(db.index, (tx) => noteContainerGone(tx, account.id, step.container, step.at));
              break;
            case 'horizon':
              model.horizon = Math.max(model.horizon ?? step.at, step.at);
              await transact(db.index, (tx) => raiseHorizon(tx, account.id, step.at));
              break;
            case 'note': {
              const told: SubtreeGone = {
                ...{ container: step.container, directory: step.directory },
                ...{ time: step.at, eventId: `went ${at}` },
              };
              model.directories.push(told);
              open.push({ gone: told, after: '' });
              const change = {
                ...{ gone: { container: step.container, name: step.directory }, made: undefined, recursive: true },
                ...{ time: told.time, eventId: told.eventId, api: 'DeleteDirectory' },
              };
              // Told of twice, it is one.
              await transact(db.index, (tx) => noteSubtrees(tx, account.id, [change, change]));
              await transact(db.index, (tx) => noteSubtrees(tx, account.id, [change]));
              break;
            }
            case 'work': {
              // A lease of none: the one that was worked on longest ago is next, in both.
              const claim = await claimSubtree(db.index, account.id, 0);
              const next = open[0];
              expect(claim === undefined).toBe(next === undefined);
              if (claim === undefined || next === undefined) break;
              const expected = model.work(next.gone, next.after, step.limit);
              const made = await transact(db.index, (tx) =>
                stepSubtree(tx, { ...scope, claim, limit: step.limit, leaseMs: 0 }),
              );
              const count = (outcome: string) =>
                expected.decisions.filter((decision) => decision.outcome === outcome).length;
              expect(made).toEqual({
                ...{ gone: count('apply'), looks: count('look'), refused: count('refuse'), done: expected.done },
              });
              next.after = expected.last;
              open.shift();
              if (!expected.done) open.push(next);
              break;
            }
          }
          expect(await storedEntries(db.index, account.id)).toEqual(model.sorted());
          expect(await queuedLooks(db.index, account.id)).toEqual(model.queued());
        }
      }),
      { numRuns: RUNS },
    );
  });
});
