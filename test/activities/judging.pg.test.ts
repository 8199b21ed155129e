import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { housekeepingActivities } from '../../activities/housekeeping.ts';
import { Metrics } from '../../activities/observability/metrics.ts';
import { reconcileActivities } from '../../activities/reconcile.ts';
import type { Services } from '../../activities/services.ts';
import { noteContainerGone } from '../../schema/index/containers.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { finishRun } from '../../schema/index/runs.ts';
import { transact } from '../../schema/index/transact.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import { makeWorld, type World } from '../reconciler/support/world.ts';
import { idleClock } from '../support/idle-clock.ts';
import { testIndex } from '../support/postgres.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

/** What judging asks of the services; nothing else is asked. */
function servicesOf(world: World, more: Partial<Services> = {}): Services {
  return { ...world.judging, metrics: new Metrics(), ...more } as unknown as Services;
}

/** Runs an activity as Temporal would. */
function activity<In extends unknown[], Out>(run: (...input: In) => Promise<Out>, ...input: In): Promise<Out> {
  return inWorkflow(workflowIds.reconcile('account'), run, ...input);
}

function inWorkflow<In extends unknown[], Out>(
  workflowId: string,
  run: (...input: In) => Promise<Out>,
  ...input: In
): Promise<Out> {
  const workflowExecution = { workflowId, runId: 'run' };
  return new MockActivityEnvironment({ workflowExecution }).run(run, ...input) as Promise<Out>;
}

describe('the reconcile activities', () => {
  it('go from preparing to a summary, each again without harm', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 5; at++) world.blobs.put('one', `n${at}`);
    const steps = reconcileActivities(servicesOf(world));
    const { runId, judge } = await activity(steps.prepareReconcile, { judge: 'auto' as const });
    expect(judge).toBe('listing');
    for (let twice = 0; twice < 2; twice++) {
      expect(await activity(steps.stageReconcile, { runId })).toEqual({ staged: 5 });
      expect(await activity(steps.judgeReconcile, { runId })).toEqual({ looks: 0 });
    }
    const summary = await activity(steps.finishReconcile, { runId });
    expect(summary).toMatchObject({ runId, outcome: 'complete', listed: 5, applied: 5 });
    expect(await activity(steps.finishReconcile, { runId })).toEqual(summary);
    expect(await activity(steps.stageReconcile, { runId })).toEqual({ staged: 5 });
  });

  it('give up a run that was ended as failed meanwhile, as by an upgrade, so that its workflow asks nobody and goes on', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    world.blobs.put('one', 'a');
    const steps = reconcileActivities(servicesOf(world));
    const { runId } = await activity(steps.prepareReconcile, { judge: 'listing' as const });
    await finishRun(db.index.db, runId, { outcome: 'failed', reason: 'Isthmus was brought up to date' });
    await activity(steps.stageReconcile, { runId });
    await activity(steps.judgeReconcile, { runId });
    await expect(activity(steps.finishReconcile, { runId })).rejects.toMatchObject({
      consequence: 'give-up',
      message: `Run ${runId} failed: Isthmus was brought up to date. Ask for another: \`isthmus reconcile\`.`,
    });
  });

  it('tell Temporal that they live while a large plan is read', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const steps = reconcileActivities(servicesOf(world));
    const beat = Promise.withResolvers<void>();
    const workflowExecution = { workflowId: workflowIds.reconcile('account'), runId: 'run' };
    const environment = new MockActivityEnvironment({ workflowExecution });
    environment.on('heartbeat', () => beat.resolve());
    // Nothing can be read of runs until it has been told.
    const found = await transact(db.index, async (tx) => {
      await sql`lock table runs in access exclusive mode`.execute(tx);
      const reading = environment.run(steps.standingReconciles);
      await beat.promise;
      return { reading };
    });
    expect(await found.reading).toEqual({ runs: [] });
  });

  it('are done for the one workflow of the account alone: another one would drive the same run, or end it', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const steps = reconcileActivities(servicesOf(world));
    const { runId } = await activity(steps.prepareReconcile, { judge: 'listing' as const });
    const other = `${workflowIds.reconcile('account')}-2026-01-01T00:00:00Z`;
    await expect(inWorkflow(other, steps.prepareReconcile, { judge: 'auto' as const })).rejects.toMatchObject({
      consequence: 'give-up',
    });
    for (const step of [steps.stageReconcile, steps.judgeReconcile, steps.finishReconcile]) {
      await expect(inWorkflow<[{ runId: number }], unknown>(other, step, { runId })).rejects.toThrow(
        /reconcile\/account/,
      );
    }
    expect(await activity(steps.stageReconcile, { runId })).toEqual({ staged: 0 });
    await activity(steps.judgeReconcile, { runId });
    expect(await activity(steps.finishReconcile, { runId })).toMatchObject({ runId, outcome: 'complete' });
  });

  it('wait for the looks that the run wanted, and say so where they do not come', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 5; at++) world.blobs.put('one', `n${at}`);
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.put('one', 'n0', 'another version');
    const clock = { ...world.judging.clock, sleep: async () => world.blobs.later(10 * MINUTE) };
    const steps = reconcileActivities(servicesOf(world, { clock }));
    const { runId } = await activity(steps.prepareReconcile, { judge: 'listing' as const });
    await activity(steps.stageReconcile, { runId });
    await activity(steps.judgeReconcile, { runId });
    // An hour goes by, and nobody answers.
    const summary = await activity(steps.finishReconcile, { runId });
    expect(summary).toMatchObject({ outcome: 'complete', looks: 1, reason: '1 look is not answered yet' });
  });
});

describe('sweeping', () => {
  it('writes down what died with its container, and looks at what died too near to tell', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 5; at++) world.blobs.put('gone', `old${at}`);
    world.blobs.put('stays', 'x');
    await world.reconcile();
    world.blobs.later(10 * MINUTE);
    world.blobs.put('gone', 'recent');
    await world.reconcile({ judge: 'listing' });
    world.blobs.later(5_000);
    world.blobs.containers.delete('gone');
    const { account } = world.judging;
    await transact(db.index, (tx) => noteContainerGone(tx, account.id, 'gone', world.blobs.time));
    // Computed before anything is swept.
    expect(await world.names()).toEqual(['gone/recent', 'stays/x']);

    const { sweepIncarnations } = housekeepingActivities(servicesOf(world, { clock: idleClock() }));
    expect(await activity(sweepIncarnations, { seconds: 3 })).toEqual({ swept: 5 });
    const { rows } = await sql<{ name: string; live: boolean; look_due: boolean; stub_due: boolean }>`
      select head as name, live, look_due, stub_due from entries order by head`.execute(db.index.db);
    const old = { live: false, look_due: false, stub_due: true };
    expect(rows).toEqual([
      ...[0, 1, 2, 3, 4].map((at) => ({ name: `old${at}`, ...old })),
      { name: 'recent', live: true, look_due: true, stub_due: true },
      { name: 'x', live: true, look_due: false, stub_due: true },
    ]);
    expect(await activity(sweepIncarnations, { seconds: 2 })).toEqual({ swept: 0 });
  });
});

describe('purging', () => {
  it('2: removes what is past its retention in batches, and raises the horizon over it', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 10; at++) world.blobs.put('one', `n${at}`);
    world.blobs.put('one', 'stays');
    await world.reconcile();
    const { account } = world.judging;
    await db.index.pool.query(
      `update entries set live = false, etag = null, length = null, stub_due = false, seen = 1000,
         tombstone_at = changed_at where head <> 'stays'`,
    );
    await recordJournal(db.index.db, account.id, [{ kind: 'old' }]);
    await db.index.pool.query('create table reconcile_999_listed (x int); create table reconcile_998_missing (x int)');
    const retention = { tombstonesDays: 30, journalDays: 30, runsDays: 90 };
    const at = (days: number) =>
      housekeepingActivities(
        servicesOf(world, {
          federation: { ...world.judging.federation, retention } as Services['federation'],
          clock: { ...world.judging.clock, now: () => Date.now() + days * DAY },
        }),
      );
    expect(await activity(at(0).purgeRetention)).toEqual({ tombstones: 0, journal: 0, runs: 0 });
    const purged = await activity(at(31).purgeRetention);
    expect(purged.tombstones).toBe(10);
    expect(purged.journal).toBeGreaterThanOrEqual(1);
    expect(await world.names()).toEqual(['one/stays']);
    const { rows } = await db.index.pool.query(`select from pg_tables where tablename ~ '^reconcile_'`);
    expect(rows).toEqual([]);
  });
});
