import { describe, expect, it } from 'vitest';
import { parseKey } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import { finishReconcileRun } from '../../../reconciler/finish.ts';
import { judgeRun } from '../../../reconciler/judge/judge-run.ts';
import type { Judging } from '../../../reconciler/judging.ts';
import { decide } from '../../../reconciler/plan/decide.ts';
import { planOf } from '../../../reconciler/plan/plan-of.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { undoRun } from '../../../reconciler/undo/undo-run.ts';
import { countFindings } from '../../../schema/index/findings.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { wantLooks } from '../../../schema/index/looks.ts';
import { readRun } from '../../../schema/index/runs.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { EVERYTHING, makeWorld, NEVER, type World } from '../support/world.ts';

const MINUTE = 60_000;
const LISTING = { judge: 'listing' } as const;
const AT_ONCE = { mostMs: 0, pollMs: 1 };

/** `lake/a/` of 30 names, `lake/b/` of 10 and one name right in the container, all known; `lake/a/` is deleted, unheard. */
async function massDelete(world: World): Promise<ReadonlyMap<string, Uint8Array>> {
  for (let at = 0; at < 30; at++) world.blobs.put('lake', `a/n${at}`, 'x'.repeat(at + 1));
  for (let at = 0; at < 10; at++) world.blobs.put('lake', `b/n${at}`);
  world.blobs.put('lake', 'top');
  await world.reconcile();
  world.blobs.later(10 * MINUTE);
  const deleted = new Map<string, Uint8Array>();
  for (const [name, { bytes }] of world.blobs.create('lake')) if (name.startsWith('a/')) deleted.set(name, bytes);
  for (const name of deleted.keys()) world.blobs.delete('lake', name);
  world.blobs.later(10 * MINUTE);
  world.blobs.looks.length = 0;
  return deleted;
}

function stopAt(judging: Judging, stop: { percent: number; names: number }): Judging {
  return { ...judging, federation: { ...judging.federation, reconcile: { ...judging.federation.reconcile, stop } } };
}

async function states({ index }: World, runId: number): Promise<Readonly<Record<string, number>>> {
  const sums: Record<string, number> = {};
  for (const { state, count } of await countFindings(index.db, runId)) sums[state] = (sums[state] ?? 0) + count;
  return sums;
}

/** A run that waits: its percent stop has tripped. */
async function waits(world: World, stop = { percent: 1, names: 5 }) {
  const judging = stopAt(world.judging, stop);
  const { runId } = await prepareRun(judging, LISTING, NEVER);
  const { state } = await judgeRun(judging, runId, NEVER);
  expect(state.phase).toBe('approve');
  return { judging, runId };
}

describe('7: deletes above the percent stop', () => {
  it('wait with their plan, go once they are approved, and come back where they exist', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const deleted = await massDelete(world);
    world.blobs.put('lake', 'b/new', 'made unheard');
    world.blobs.later(MINUTE);

    const { judging, runId } = await waits(world);
    expect(world.blobs.looks).toEqual([]);
    expect(await states(world, runId)).toEqual({ held: 30, repaired: 1 });
    const plan = await planOf(db.index, runId);
    expect(plan).toMatchObject({
      live: 41,
      created: { names: 1, prefixes: [{ prefix: 'lake/b/', names: 1 }], elsewhere: 0 },
      updated: { names: 0, prefixes: [], elsewhere: 0 },
      deleted: { names: 30, elsewhere: 0 },
      shares: [
        { of: 'all', missing: 30 },
        { of: 'container', name: 'lake', missing: 30 },
        { of: 'rule', prefix: '', missing: 30 },
      ],
    });
    const [prefix] = plan?.deleted.prefixes ?? [];
    expect(prefix).toMatchObject({ prefix: 'lake/a/', names: 30 });
    expect(prefix?.examples.map(({ name, length }) => [name, length])).toEqual(
      [29, 28, 27, 26, 25].map((at) => [`a/n${at}`, at + 1]),
    );
    expect(plan?.tripped).toHaveLength(3);
    expect(plan?.run.waitingSince).toBeDefined();
    // Asked again, it waits on; it cannot be finished.
    expect((await judgeRun(judging, runId, NEVER)).state.phase).toBe('approve');
    await expect(finishReconcileRun(judging, runId, AT_ONCE, NEVER)).rejects.toThrow(/approve/);

    expect(await decide(judging, runId, { decision: 'approved', who: 'ada' })).toBe('decided');
    expect(await decide(judging, runId, { decision: 'rejected', who: 'bob' })).toBe('not-waiting');
    expect(await decide(judging, 999, { decision: 'rejected', who: 'bob' })).toBe('no-such-run');
    // One was made again while it waited.
    world.blobs.later(MINUTE);
    world.blobs.put('lake', 'a/n0', 'again');
    await judgeRun(judging, runId, NEVER);
    await world.answerLooks();
    const summary = await finishReconcileRun(judging, runId, AT_ONCE, NEVER);
    expect(summary).toMatchObject({ outcome: 'complete', missing: 30, looks: 30 });
    expect(await states(world, runId)).toEqual({ repaired: 30, explained: 1 });
    expect(await world.names('lake/a/')).toEqual(['lake/a/n0']);
    // What was planned can still be told.
    expect(await planOf(db.index, runId)).toMatchObject({ deleted: { names: 30 } });

    for (const [name, bytes] of deleted) if (/[1-9]$/.test(name)) world.blobs.put('lake', name, bytes);
    const clock = { ...judging.clock, sleep: async () => void (await world.answerLooks()) };
    const undone = await undoRun({ ...judging, clock }, runId, NEVER);
    expect(undone).toMatchObject({ looked: 29, restored: 27, gone: 2, unanswered: 0 });
    expect(undone.examples.map(({ name }) => name).toSorted()).toEqual(['a/n10', 'a/n20']);
    expect(await states(world, runId)).toEqual({ repaired: 3, explained: 1, undone: 27 });
    expect((await world.names('lake/a/')).length).toBe(28);
    expect(await undoRun({ ...judging, clock }, runId, NEVER)).toMatchObject({ looked: 2, restored: 0, gone: 2 });
    const kinds = (await recentJournal(db.index.db, judging.account.id, { limit: 10 })).map(({ kind }) => kind);
    expect(kinds.toReversed()).toEqual(
      expect.arrayContaining(['reconcile-guarded', 'reconcile-approved', 'reconcile-undone']),
    );
  });

  it('are refused once they are rejected: nothing is looked at, and nothing is deleted', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await massDelete(world);
    const { judging, runId } = await waits(world);
    expect(await decide(judging, runId, { decision: 'rejected', who: 'ada', reason: 'by mistake' })).toBe('decided');
    expect((await judgeRun(judging, runId, NEVER)).state.phase).toBe('wait');
    const summary = await finishReconcileRun(judging, runId, AT_ONCE, NEVER);
    expect(summary).toMatchObject({ outcome: 'guarded', looks: 0 });
    expect(summary.reason).toMatch(/lacks 30 of 41 live names .*: rejected by ada: by mistake/);
    expect(await states(world, runId)).toEqual({ refused: 30 });
    expect(world.blobs.looks).toEqual([]);
    expect((await world.names()).length).toBe(41);
  });

  it('are left alone by a run of a prefix, and expire by one of everything', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await massDelete(world);
    const { runId } = await waits(world);
    expect(await world.reconcile({ ...LISTING, prefix: 'lake/b/' })).toMatchObject({ outcome: 'complete' });
    expect(await readRun(db.index.db, runId)).toMatchObject({ outcome: undefined, decision: undefined });
    const next = await prepareRun(world.judging, { judge: 'auto' }, NEVER);
    expect(next).toMatchObject({ judge: 'none' });
    expect((await readRun(db.index.db, runId))?.outcome).toBeUndefined();

    await db.index.pool.query(`update runs set started_at = 0`);
    const all = await prepareRun(
      { ...world.judging, federation: { ...world.judging.federation, sources: {} } },
      { judge: 'auto' },
      NEVER,
    );
    expect(all.judge).toBe('listing');
    const expired = await readRun(db.index.db, runId);
    expect(expired).toMatchObject({ outcome: 'guarded', decision: 'expired', decidedBy: `run ${all.runId}` });
    expect(expired?.reason).toMatch(`expired by run ${all.runId}`);
    expect(await states(world, runId)).toEqual({ refused: 30 });
    expect(await world.reconcile({ judge: 'auto' }, { percent: 100, names: 100 })).toMatchObject({ runId: all.runId });
    expect((await world.names()).length).toBe(11);
  });

  it('of one rule wait, where all of it together is few', async () => {
    await using db = await testIndex();
    const rules: Rule[] = [
      EVERYTHING,
      { prefix: 'lake/b/', authority: 'blob', sink: 'vast', stop: { percent: 20, names: 1 } },
    ];
    const world = await makeWorld(db.index, rules);
    await massDelete(world);
    for (const name of ['b/n0', 'b/n1']) world.blobs.delete('lake', name);
    const loose = { percent: 100, names: 1_000 };
    expect(await world.reconcile(LISTING, loose)).toMatchObject({ outcome: 'complete', missing: 32 });
    // Now 8 are left below b/.
    for (const name of ['b/n2', 'b/n3']) world.blobs.delete('lake', name);
    world.blobs.later(10 * MINUTE);
    const { runId } = await waits(world, loose);
    expect((await planOf(db.index, runId))?.tripped).toEqual([
      "it lacks 2 of 8 live names under the rule 'lake/b/' (25.0 %, allowed are 20 % or 1 name)",
    ]);
  });

  it('of a container that says itself that it is gone wait as well', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await massDelete(world);
    world.blobs.put('other', 'x');
    await world.reconcile(LISTING, { percent: 100, names: 100 });
    world.blobs.later(10 * MINUTE);
    world.blobs.containers.delete('lake');
    const { judging, runId } = await waits(world);
    expect((await world.names()).length).toBe(12);
    expect(await countFindings(db.index.db, runId)).toMatchObject([{ cause: 'container-deleted', count: 11 }]);
    await decide(judging, runId, { decision: 'approved', who: 'ada' });
    await judgeRun(judging, runId, NEVER);
    expect(await world.names()).toEqual(['other/x']);
    const summary = await finishReconcileRun(judging, runId, AT_ONCE, NEVER);
    expect(summary).toMatchObject({ outcome: 'complete', looks: 0 });
    expect((await readRun(db.index.db, runId))?.counts).toMatchObject({
      'cause.container-deleted': 11,
      'state.repaired': 11,
    });
  });

  it('of a container that is gone wait by all that it held, also where a prefix of it is judged', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 40; at++) world.blobs.put('lake', `${at < 10 ? 'b' : 'a'}/n${at}`);
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.containers.delete('lake');
    const judging = stopAt(world.judging, { percent: 1, names: 20 });
    const { runId } = await prepareRun(judging, { judge: 'listing', prefix: 'lake/b/' }, NEVER);
    expect((await judgeRun(judging, runId, NEVER)).state.phase).toBe('approve');
    expect((await planOf(db.index, runId))?.tripped).toEqual([
      'it lacks 40 of 40 live names of lake/ (100.0 %, allowed are 1 % or 20 names)',
    ]);
    expect((await world.names()).length).toBe(40);
  });

  it('of a container that is gone are not made where nothing of it was planned: other looks decide', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await massDelete(world);
    world.blobs.put('other', 'x');
    await world.reconcile(LISTING, { percent: 100, names: 100 });
    world.blobs.later(10 * MINUTE);
    world.blobs.containers.delete('lake');
    const { account } = world.judging;
    const keys = (await world.names('lake/')).map((key) => parseKey(key));
    const wish = { accountId: account.id, keys, reason: 'stub-stray', ruleRevision: 1, eventId: 'test' } as const;
    await transact(db.index, (tx) => wantLooks(tx, wish));
    const judging = stopAt(world.judging, { percent: 1, names: 5 });
    const { runId } = await prepareRun(judging, LISTING, NEVER);
    expect((await judgeRun(judging, runId, NEVER)).state).toMatchObject({ phase: 'wait', goneContainers: [] });
    expect((await world.names('lake/')).length).toBe(11);
  });

  it('come back by an undo as well where their looks were answered after the run had ended', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const deleted = await massDelete(world);
    const { judging, runId } = await waits(world);
    await decide(judging, runId, { decision: 'approved', who: 'ada' });
    await judgeRun(judging, runId, NEVER);
    // One is made again before it is looked at: it is not deleted, and so not restored.
    world.blobs.put('lake', 'a/n0', 'again');
    const { reason } = await finishReconcileRun(judging, runId, AT_ONCE, NEVER);
    expect(reason).toMatch(/30 looks are not answered yet/);
    await world.answerLooks();
    expect((await world.names()).length).toBe(12);

    for (const [name, bytes] of deleted) world.blobs.put('lake', name, bytes);
    world.blobs.later(MINUTE);
    const clock = { ...judging.clock, sleep: async () => void (await world.answerLooks()) };
    const undone = await undoRun({ ...judging, clock }, runId, NEVER);
    expect(undone).toMatchObject({ looked: 29, restored: 29, gone: 0, unanswered: 0 });
    expect((await world.names()).length).toBe(41);
    expect(await states(world, runId)).toEqual({ looking: 1, undone: 29 });
  });
});
