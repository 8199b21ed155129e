import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileRules } from '../../../namespace/authority.ts';
import type { BlobEvent, ListedRow, LookAnswer } from '../../../namespace/change.ts';
import { compareKeys, formatKey } from '../../../namespace/key.ts';
import { type Account, ensureAccount, raiseHorizon } from '../../../schema/index/accounts.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { applyEvents, type PageCounts } from '../../../schema/index/apply-events.ts';
import { applyListed } from '../../../schema/index/apply-listed.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import { Tally } from '../../../schema/index/tally.ts';
import { transact } from '../../../schema/index/transact.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import * as arbitrary from './arbitraries.ts';
import { IndexModel } from './model.ts';
import { queuedLooks, storedContainers, storedEntries } from './read-index.ts';

type Step =
  | { readonly do: 'events'; readonly events: readonly BlobEvent[] }
  | { readonly do: 'answer'; readonly picks: readonly Pick[] }
  | { readonly do: 'list'; readonly rows: readonly Omit<ListedRow, 'kind'>[]; readonly strong: boolean }
  | { readonly do: 'gone'; readonly container: string; readonly at: number }
  | { readonly do: 'horizon'; readonly at: number }
  | { readonly do: 'distrust' };

/** Which key was looked at, what was found, when, and whether the entry has moved since. */
interface Pick extends Omit<LookAnswer, 'kind' | 'entryRevision'> {
  readonly stale: boolean;
}

const events = fc
  .array(arbitrary.event, { minLength: 1, maxLength: 14 })
  .map((list): Step => ({ do: 'events', events: list }));
const answer = fc
  .uniqueArray(
    fc.record({
      container: arbitrary.container,
      name: arbitrary.name,
      found: fc.option(arbitrary.attributes, { nil: undefined }),
      time: arbitrary.time,
      eventId: fc.constant('look'),
      stale: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
    }),
    { selector: formatKey, maxLength: 5 },
  )
  .map((picks): Step => ({ do: 'answer', picks }));
const list = fc
  .record({
    rows: fc.uniqueArray(
      fc.record({ container: arbitrary.container, name: arbitrary.name, found: arbitrary.attributes }),
      { selector: formatKey, maxLength: 5 },
    ),
    from: arbitrary.time,
    strong: fc.boolean(),
    // A run lists a name once.
    run: fc.uuid(),
  })
  .map(({ rows, from, strong, run }): Step => {
    const to = strong ? from : from + 10_000;
    return { do: 'list', strong, rows: rows.map((row) => ({ ...row, from, to, eventId: `run/${run}` })) };
  });
const gone = fc.record({ do: fc.constant('gone' as const), container: arbitrary.container, at: arbitrary.time });
const horizon = fc.record({ do: fc.constant('horizon' as const), at: arbitrary.time });
const distrusted = fc.constant({ do: 'distrust' as const });
const history = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: events },
    { weight: 3, arbitrary: answer },
    { weight: 2, arbitrary: list },
    { weight: 1, arbitrary: gone },
    { weight: 1, arbitrary: horizon },
    { weight: 1, arbitrary: distrusted },
  ),
  { minLength: 1, maxLength: 10 },
);

const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];
const MARGIN = 20_000;
const RUNS = Number(process.env.ISTHMUS_DIFFERENTIAL_RUNS ?? 60);

describe('the index in SQL', () => {
  let db: TestIndex;
  beforeAll(async () => {
    db = await testIndex();
  });
  afterAll(() => db[Symbol.asyncDispose]());

  async function freshAccount(): Promise<Account> {
    const account = await ensureAccount(db.index, randomUUID());
    await publishRules(db.index, account.id, RULES, 'test');
    return account;
  }

  async function distrust(account: Account): Promise<void> {
    await sql`update accounts set triggers_distrusted_at = 1 where id = ${account.id}`.execute(db.index.db);
  }

  /** Where one record stands for several of its key, the others may not have been compared. */
  function expectCounts(counts: PageCounts, tally: Tally, page: readonly BlobEvent[]): void {
    const { agreed, mismatched, mismatches, ...rest } = tally.counts(page.length);
    expect(counts).toMatchObject(rest);
    expect(counts.agreed).toBeLessThanOrEqual(agreed);
    expect(counts.mismatched).toBeLessThanOrEqual(mismatched);
    if (new Set(page.map(formatKey)).size < page.length) return;
    expect([counts.agreed, counts.mismatched]).toEqual([agreed, mismatched]);
    const samples = (list: PageCounts['mismatches']) => new Set(list.map((each) => JSON.stringify(each)));
    if (mismatched <= 3) expect(samples(counts.mismatches)).toEqual(samples(mismatches));
  }

  async function expectSame(account: Account, model: IndexModel): Promise<void> {
    expect(await storedEntries(db.index, account.id)).toEqual(model.sorted());
    expect(await queuedLooks(db.index, account.id)).toEqual(model.queued());
    const containers = await storedContainers(db.index, account.id);
    for (const [name, state] of model.containers) expect([name, containers.get(name)]).toEqual([name, state]);
  }

  it.each([true, false])(
    '1: agrees with deciding one by one, in entries, looks and counts (looks: %s)',
    async (looks) => {
      const rules = compileRules({ revision: 1, rules: RULES });
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const account = await freshAccount();
          const scope = { account, rules, ruleRevision: 1, policy: { margin: MARGIN, looks } };
          const model = new IndexModel((key) => rules.match(key), looks);
          for (const step of steps) {
            switch (step.do) {
              case 'events': {
                const tally = new Tally();
                for (const event of step.events) {
                  decideAndCount(model, event, tally, looks);
                }
                const counts = await transact(db.index, (tx) => applyEvents(tx, { ...scope, events: step.events }));
                expectCounts(counts, tally, step.events);
                break;
              }
              case 'answer': {
                const answers = step.picks.map(({ stale, ...pick }): LookAnswer => {
                  const revision = model.entries.get(formatKey(pick))?.revision ?? 0;
                  return { ...pick, kind: 'look', entryRevision: stale ? revision + 1 : revision };
                });
                const outcomes = answers.map((one) => ({ one, decision: model.look(one) }));
                for (const { one, decision } of outcomes) {
                  const entry = model.entries.get(formatKey(one));
                  // Whoever moved the entry has wanted another look; it is due at once.
                  if (decision.outcome === 'ignore' && entry?.lookDue) model.looks.set(formatKey(one), 'look-due');
                }
                const { moved } = await transact(db.index, (tx) => applyLooks(tx, { ...scope, answers }));
                const stale = outcomes.filter(
                  ({ one, decision }) => decision.outcome === 'ignore' && model.looks.has(formatKey(one)),
                );
                expect(moved).toBe(stale.length);
                break;
              }
              case 'list': {
                const rows = step.rows.map((row): ListedRow => ({ ...row, kind: 'listed' }));
                const fresh = new Set(rows.filter((row) => !model.entries.has(formatKey(row))));
                const decisions = rows.map((row) => ({ row, decision: model.listed(row, step.strong) }));
                const count = (want: (made: (typeof decisions)[number]) => boolean) => decisions.filter(want).length;
                const counts = await transact(db.index, (tx) =>
                  applyListed(tx, { ...scope, rows, strong: step.strong }),
                );
                expect(counts).toEqual({
                  applied: count(({ row, decision }) => decision.outcome === 'apply' && fresh.has(row)),
                  filled: count(({ row, decision }) => decision.outcome === 'apply' && !fresh.has(row)),
                  looks: count(({ decision }) => decision.outcome === 'look'),
                  unchanged: count(({ decision }) => decision.outcome === 'ignore'),
                });
                break;
              }
              case 'gone':
                model.gone(step.container, step.at);
                await transact(db.index, (tx) => noteContainerGone(tx, account.id, step.container, step.at));
                break;
              case 'distrust':
                model.triggersTrusted = false;
                await distrust(account);
                break;
              case 'horizon':
                model.horizon = Math.max(model.horizon ?? step.at, step.at);
                await transact(db.index, (tx) => raiseHorizon(tx, account.id, step.at));
                break;
            }
            await expectSame(account, model);
          }
        }),
        { numRuns: RUNS },
      );
    },
  );

  it.each([true, false])(
    '1: ends the same, with the same counts, wherever pages are cut (looks: %s)',
    async (looks) => {
      const rules = compileRules({ revision: 1, rules: RULES });
      await fc.assert(
        fc.asyncProperty(
          fc.array(arbitrary.event, { minLength: 1, maxLength: 40 }),
          fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
          async (stream, sizes) => {
            const whole = await freshAccount();
            const cut = await freshAccount();
            const policy = { margin: MARGIN, looks };
            const page = (account: Account, part: readonly BlobEvent[]) =>
              transact(db.index, (tx) => applyEvents(tx, { account, rules, ruleRevision: 1, policy, events: part }));
            const once = await page(whole, stream);
            let [applied, superseded, records] = [0, 0, 0];
            const ignored = new Map<string, number>();
            for (let from = 0, turn = 0; from < stream.length; turn++) {
              const size = sizes[turn % sizes.length] ?? 1;
              const counts = await page(cut, stream.slice(from, from + size));
              from += size;
              applied += counts.applied;
              superseded += counts.superseded;
              records += counts.records;
              for (const [reason, count] of Object.entries(counts.ignored)) {
                ignored.set(reason, (ignored.get(reason) ?? 0) + count);
              }
            }
            expect({ applied, superseded, records, ignored: Object.fromEntries(ignored) }).toEqual({
              applied: once.applied,
              superseded: once.superseded,
              records: once.records,
              ignored: once.ignored,
            });
            const total = once.applied + once.superseded + Object.values(once.ignored).reduce((sum, n) => sum + n, 0);
            expect(total).toBe(stream.length);
            expect(await storedEntries(db.index, cut.id)).toEqual(await storedEntries(db.index, whole.id));
            expect(await queuedLooks(db.index, cut.id)).toEqual(await queuedLooks(db.index, whole.id));
            expect((await storedEntries(db.index, whole.id)).toSorted(compareKeys)).toEqual(
              await storedEntries(db.index, whole.id),
            );
          },
        ),
        { numRuns: RUNS },
      );
    },
  );

  it.each([true, false])('1: leaves old news out of a large page, and nothing else (looks: %s)', async (looks) => {
    const rules = compileRules({ revision: 1, rules: RULES });
    const wide = fc
      .tuple(arbitrary.event, fc.integer({ min: 0, max: 149 }))
      .map(([event, at]): BlobEvent => ({ ...event, container: 'alpha', name: `${event.name} ${at}` }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(wide, { minLength: 150, maxLength: 220 }),
        fc.array(wide, { maxLength: 60 }),
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (told, news, places, distrustedFrom) => {
          const account = await freshAccount();
          const model = new IndexModel((key) => rules.match(key), looks);
          const again = [...told];
          for (const [at, event] of news.entries()) again.splice((places[at] ?? 0) % again.length, 0, event);
          for (const [at, page] of [told, again, told, told.map(byTheOther), again].entries()) {
            if (at === distrustedFrom) {
              model.triggersTrusted = false;
              await distrust(account);
            }
            const tally = new Tally();
            for (const event of page) {
              decideAndCount(model, event, tally, looks);
            }
            const policy = { margin: MARGIN, looks };
            const counts = await transact(db.index, (tx) =>
              applyEvents(tx, { account, rules, ruleRevision: 1, policy, events: page }),
            );
            expectCounts(counts, tally, page);
            await expectSame(account, model);
          }
        },
      ),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});

/** The same change as the other of trigger and feed tells it. */
function byTheOther(event: BlobEvent): BlobEvent {
  const [source, tail] = event.source === 'trigger' ? (['feed', '0000'] as const) : (['trigger', '06a1'] as const);
  return { ...event, source, eventId: event.eventId.slice(0, -4) + tail };
}

function decideAndCount(model: IndexModel, event: BlobEvent, tally: Tally, looks: boolean): void {
  const before = model.entries.get(formatKey(event));
  const decision = model.event(event);
  tally.decision(decision);
  if (looks && model.triggersTrusted) tally.compare(before, event, decision);
}
