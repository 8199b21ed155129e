import { describe, expect, it } from 'vitest';
import { finishReconcileRun } from '../../reconciler/finish.ts';
import { judgeRun } from '../../reconciler/judge/judge-run.ts';
import { prepareRun } from '../../reconciler/prepare.ts';
import { stageRun } from '../../reconciler/stage.ts';
import { liveRules, publishRules } from '../../schema/index/authority-revisions.ts';
import { noteGap, readGaps } from '../../schema/index/feed-gaps.ts';
import { readFindings } from '../../schema/index/findings.ts';
import { testIndex } from '../support/postgres.ts';
import { EVERYTHING, makeWorld, NEVER } from './support/world.ts';

const MINUTE = 60_000;

describe('a listing', () => {
  it('bootstraps an empty index with every blob, their attributes and the horizon', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const odd = ['a', 'a/b', '../up', ' ', 'é', '\u{1f600}', 'x'.repeat(1024), 'tab\tnew\nline\\'];
    world.blobs.pageSize = 3;
    for (const name of odd) world.blobs.put('one', name);
    world.blobs.put('two', 'x');
    world.blobs.create('empty');
    world.blobs.put('$logs', 'noise');
    const start = world.blobs.time;

    const summary = await world.reconcile();
    expect(summary).toMatchObject({
      judge: 'listing',
      outcome: 'complete',
      listed: 9,
      applied: 9,
      looks: 0,
      missing: 0,
    });
    expect((await world.names()).length).toBe(9);
    for (const entry of await world.live()) {
      expect(entry.attributes).toEqual(world.blobs.containers.get(entry.container)?.get(entry.name)?.attributes);
    }
    expect(await world.horizon()).toBe(start);
    expect((await world.reconcile({ judge: 'auto' })).judge).toBe('none');
  });

  it('heals the gaps of the feed that were noted before it began, where it is complete and of everything', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const { id } = world.judging.account;
    const open = async () => (await readGaps(db.index.db, id, { limit: 5, open: true })).map(({ missing }) => missing);
    for (const name of ['a/1', 'a/2', 'b/3', 'b/4']) world.blobs.put('one', name);
    await world.reconcile();
    await noteGap(db.index.db, id, { missing: 'log/00/1.avro', detail: {} });
    await new Promise((passed) => setTimeout(passed, 5));
    await world.reconcile({ judge: 'listing', prefix: 'one/a/' });
    expect(await open()).toEqual(['log/00/1.avro']);
    world.blobs.later(MINUTE);
    for (const name of ['a/1', 'a/2', 'b/3']) world.blobs.delete('one', name);
    expect(await world.reconcile({ judge: 'listing' }, { percent: 10, names: 1 })).toMatchObject({
      outcome: 'guarded',
    });
    expect(await open()).toEqual(['log/00/1.avro']);
    const { runId, outcome } = await world.reconcile({ judge: 'listing' });
    expect(outcome).toBe('complete');
    expect(await open()).toEqual([]);
    expect(await readGaps(db.index.db, id, { limit: 1 })).toMatchObject([{ runId, healedAt: expect.any(Number) }]);
  });

  it('lists what the rules name and nothing else', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index, [
      { prefix: 'one/in/', authority: 'blob', sink: 'vast' },
      { prefix: 'one/in/theirs/', authority: 'vast', sink: 'vast' },
      { prefix: 'one/single', authority: 'blob', sink: 'vast' },
    ]);
    for (const name of ['in/a', 'in/theirs/b', 'in/theirs/c/d', 'out', 'single', 'single2'])
      world.blobs.put('one', name);
    world.blobs.put('two', 'x');
    const summary = await world.reconcile();
    expect(summary).toMatchObject({ outcome: 'complete', listed: 2, applied: 2 });
    expect(await world.names()).toEqual(['one/in/a', 'one/single']);
    expect(world.blobs.listed).toEqual(['one/in/', 'one/single']);
  });

  it('7: finds what the index lacks and looks at what the listing lacks; only a 404 deletes', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 10; at++) world.blobs.put('one', `n${at}`);
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.delete('one', 'n3');
    world.blobs.put('one', 'n4', 'another version');
    world.blobs.put('one', 'new');
    world.blobs.later(10 * MINUTE);
    world.blobs.looks.length = 0;

    const summary = await world.reconcile({ judge: 'listing' });
    expect(summary).toMatchObject({ outcome: 'complete', listed: 10, agreed: 8, applied: 1, looks: 2, missing: 1 });
    expect(world.blobs.looks.toSorted()).toEqual(['one/n3', 'one/n4']);
    expect(await world.names()).toEqual(
      [...(world.blobs.containers.get('one')?.keys() ?? [])].map((n) => `one/${n}`).toSorted(),
    );
  });

  it('7: deletes nothing of what was seen after it began', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    world.blobs.put('one', 'a');
    await world.reconcile();
    // Seen in the second before the listing: it may have been made while the listing passed.
    world.blobs.later(1_000);
    world.blobs.delete('one', 'a');
    const summary = await world.reconcile({ judge: 'listing' });
    expect(summary).toMatchObject({ outcome: 'complete', missing: 0, looks: 0 });
    expect(await world.names()).toEqual(['one/a']);
  });

  it('7: an empty listing deletes nothing', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    world.blobs.put('one', 'a');
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.delete('one', 'a');
    const summary = await world.reconcile({ judge: 'listing' });
    expect(summary).toMatchObject({ outcome: 'guarded', looks: 0, missing: 1 });
    expect(summary.reason).toMatch(/lists nothing at all/);
    expect(await world.names()).toEqual(['one/a']);
  });

  it('asks a container that it lacks, and believes its own 404', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 5; at++) {
      world.blobs.put('gone', `n${at}`);
      world.blobs.put('stays', `n${at}`);
    }
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.containers.delete('gone');
    world.blobs.looks.length = 0;
    const summary = await world.reconcile({ judge: 'listing' });
    expect(summary).toMatchObject({ outcome: 'complete', missing: 5, looks: 0 });
    // Once to plan with, and again when its names may go.
    expect(world.blobs.looks.length).toBe(2);
    expect(await world.names()).toEqual([0, 1, 2, 3, 4].map((at) => `stays/n${at}`));
  });

  it('of a prefix judges the prefix alone and leaves the horizon', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (const name of ['a/1', 'a/2', 'b', 'b/1']) world.blobs.put('one', name);
    await world.reconcile();
    const horizon = await world.horizon();
    world.blobs.later(10 * MINUTE);
    for (const name of ['a/1', 'b', 'b/1']) world.blobs.delete('one', name);
    const summary = await world.reconcile({ judge: 'listing', prefix: 'one/a' });
    expect(summary).toMatchObject({ outcome: 'complete', listed: 1, missing: 1 });
    expect(await world.names()).toEqual(['one/a/2', 'one/b', 'one/b/1']);
    expect(await world.horizon()).toBe(horizon);
  });

  it('is taken up where an attempt died, and counts nothing twice', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    world.blobs.pageSize = 3;
    world.blobs.put('old', 'x');
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    for (const container of ['a', 'b', 'c']) for (let at = 0; at < 7; at++) world.blobs.put(container, `n${at}`);
    world.blobs.delete('old', 'x');
    world.blobs.later(10 * MINUTE);

    const { runId } = await prepareRun(world.judging, { judge: 'listing' }, NEVER);
    world.blobs.onRequest = (what) => {
      if (what === 'list b/* 6') throw new Error('killed');
    };
    await expect(stageRun(world.judging, runId, NEVER)).rejects.toThrow('killed');
    world.blobs.onRequest = () => {};
    world.blobs.listed.length = 0;

    expect(await prepareRun(world.judging, { judge: 'listing' }, NEVER)).toEqual({ runId, judge: 'listing' });
    const ledger = await stageRun(world.judging, runId, NEVER);
    expect(world.blobs.listed).not.toContain('a/');
    expect(ledger.counts).toMatchObject({ rows: 21 });
    const { rows } = await db.index.pool.query(`select count(*) from reconcile_${runId}_listed`);
    expect(rows).toEqual([{ count: 21 }]);
    await judgeRun(world.judging, runId, NEVER);
    await world.answerLooks();
    const summary = await finishReconcileRun(world.judging, runId, { mostMs: 1, pollMs: 1 }, NEVER);
    expect(summary).toMatchObject({ outcome: 'complete', listed: 21, applied: 21, missing: 1 });
    expect((await world.names()).length).toBe(21);
    const staging = await db.index.pool.query(`select from pg_tables where tablename like 'reconcile%'`);
    expect(staging.rowCount).toBe(0);
  });

  it.each([
    ['fills an empty index', false],
    ['judges one that was judged before', true],
  ])('whose attempts die one after the other %s once', async (_what, judgedBefore) => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    world.blobs.pageSize = 3;
    if (judgedBefore) {
      world.blobs.put('old', 'x');
      await world.reconcile();
      world.blobs.later(10 * MINUTE);
    }
    const names = ['a', 'b/1', 'b/2', 'b/c/3', 'b/c/4', 'b/c/5', 'b/c/6', 'b//7', 'd/', 'e/f/8', 'e/f/9', 'z'];
    for (const name of names) world.blobs.put('one', name);
    const { runId } = await prepareRun(world.judging, { judge: 'listing' }, NEVER);
    let left = 1;
    world.blobs.onRequest = () => {
      if (left-- === 0) throw new Error('killed');
    };
    // Each attempt gets a little further than the one before.
    for (let most = 2; ; left = most++) {
      const staged = await stageRun(world.judging, runId, NEVER).catch(() => undefined);
      if (staged !== undefined) break;
    }
    await judgeRun(world.judging, runId, NEVER);
    await world.answerLooks();
    const listed = names.length + (judgedBefore ? 1 : 0);
    const summary = await finishReconcileRun(world.judging, runId, { mostMs: 1, pollMs: 1 }, NEVER);
    expect(summary).toMatchObject({ outcome: 'complete', listed, applied: names.length, missing: 0, looks: 0 });
    const { rows } = await db.index.pool.query(`select counts -> 'rows' as rows from runs where id = $1`, [runId]);
    expect(rows).toEqual([{ rows: listed }]);
    expect((await world.names()).filter((name) => name.startsWith('one/'))).toHaveLength(names.length);
  });

  it('is no judge of names that it is the first to tell of, and judges the others', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (const name of ['a/1', 'a/2', 'b/3', 'b/4']) world.blobs.put('one', name);
    await world.reconcile({ judge: 'listing', prefix: 'one/a/' });
    world.blobs.later(10 * MINUTE);
    world.blobs.delete('one', 'a/2');
    const { runId, ...summary } = await world.reconcile({ judge: 'listing' });
    expect(summary).toMatchObject({ outcome: 'complete', listed: 3, applied: 2, missing: 1 });
    expect(await world.names()).toEqual(['one/a/1', 'one/b/3', 'one/b/4']);
    const found = await readFindings(db.index.db, runId, { limit: 10 });
    expect(found.map(({ name, difference }) => [name, difference])).toEqual([['a/2', 'not-listed']]);
  });

  it('finds names that the index cannot hold, and counts them', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const odd = ['b/nul\0', 'b/half\ud800', 'b\0/c'];
    for (const name of ['a', ...odd]) world.blobs.put('one', name);
    world.blobs.pageSize = 2;
    for (const [streak, expected] of [
      [1, { applied: 1 }],
      [2, { agreed: 1 }],
    ] as const) {
      const { runId, ...summary } = await world.reconcile({ judge: 'listing' });
      expect(summary).toMatchObject({ outcome: 'complete', listed: 1, missing: 0, ...expected });
      const found = await readFindings(db.index.db, runId, { limit: 10 });
      expect(found).toHaveLength(odd.length);
      for (const each of found) {
        expect(each).toMatchObject({ difference: 'not-indexed', cause: 'unstorable-name', state: 'open', streak });
      }
      world.blobs.later(10 * MINUTE);
    }
  });

  it('goes on under new rules where they move meanwhile', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 7; at++) world.blobs.put('one', `n${at}`);
    let kept = await world.judging.rules();
    const judging = {
      ...world.judging,
      rules: async () => kept,
      rulesAreStale: () => {},
    };
    let moved = 0;
    const stale = {
      ...judging,
      rulesAreStale() {
        moved++;
        kept = { ...kept, revision: moved + 1 };
      },
    };
    const { account } = world.judging;
    await publishRules(db.index, account.id, [EVERYTHING, { prefix: 'x/', authority: 'vast', sink: 'vast' }], 'more');
    const { runId } = await prepareRun(stale, { judge: 'listing' }, NEVER);
    await stageRun(stale, runId, NEVER);
    expect(moved).toBe(1);
    expect((await liveRules(db.index.db, account.id))?.revision).toBe(2);
    expect((await world.names()).length).toBe(7);
  });
});
