import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAccount } from '../../../schema/index/accounts.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { keepDeadLetters, readOpenLetters, settleLetter } from '../../../schema/index/dead-letters.ts';
import { recordFindings } from '../../../schema/index/findings.ts';
import { recordJournal } from '../../../schema/index/journal.ts';
import { purgeJournal, purgeRuns, purgeTombstones } from '../../../schema/index/purge.ts';
import { awaitDecision, finishRun, readRun, startRun } from '../../../schema/index/runs.ts';
import { transact } from '../../../schema/index/transact.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, del, put, scopeOf, T0 } from './page.ts';
import { queuedLooks, storedEntries } from './read-index.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

const NOW = () => Date.now() + 60_000;

describe('a purge', () => {
  it('2: goes in batches, raises the horizon, and a create older than it is looked at', async () => {
    const scope = await scopeOf(db.index);
    const { id, name } = scope.account;
    await apply(db.index, scope, [...Array.from({ length: 25 }, (_, at) => del(`n${at}`, at + 1)), put('kept', 99)]);
    const batches = [];
    for (;;) {
      const batch = await purgeTombstones(db.index, id, NOW(), 10);
      batches.push(batch.purged);
      if (batch.done) break;
    }
    expect(batches).toEqual([10, 10, 5]);
    expect((await storedEntries(db.index, id)).map((entry) => entry.name)).toEqual(['kept']);
    expect((await readAccount(db.index.db, name))?.horizon).toBe(T0 + 25_000);
    const counts = await apply(db.index, scope, [put('n3', 2), put('later', 50)]);
    expect(counts).toMatchObject({ applied: 2, looks: 1 });
    expect(await queuedLooks(db.index, id)).toEqual(['lake/n3 before-horizon']);
  });

  it('2: leaves tombstones that are young, whose stub is due, or that wait for a look', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await apply(db.index, scope, [del('young', 1), put('stub', 1), put('look', 1, { effect: 'touch' })]);
    await apply(db.index, scope, [del('stub', 2)]);
    expect(await purgeTombstones(db.index, id, Date.now() - 3_600_000, 10)).toEqual({ purged: 0, done: true });
    expect(await purgeTombstones(db.index, id, NOW(), 10)).toEqual({ purged: 1, done: true });
    expect((await storedEntries(db.index, id)).map((entry) => entry.name)).toEqual(['look', 'stub']);
  });

  it('2: waits for a page in flight, which has read the horizon', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await apply(db.index, scope, [del('gone', 5)]);
    let purged = false;
    let purging: Promise<unknown> = Promise.resolve();
    await transact(db.index, async (tx) => {
      await applyEvents(tx, { ...scope, events: [put('other', 1)] });
      purging = purgeTombstones(db.index, id, NOW(), 10).then(() => {
        purged = true;
      });
      await sleep(100);
      expect(purged).toBe(false);
      expect(await applyEvents(tx, { ...scope, events: [put('gone', 3)] })).toMatchObject({
        applied: 0,
        superseded: 1,
      });
    });
    await purging;
    expect(await apply(db.index, scope, [put('gone', 3)])).toMatchObject({ applied: 1, looks: 1 });
  });

  it('takes the journal, and runs with their findings but the newest complete one', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await recordJournal(db.index.db, id, [{ kind: 'a' }, { kind: 'b', name: 'x', detail: { y: ['\0'] } }]);
    expect(await purgeJournal(db.index, id, NOW(), 10)).toEqual({ purged: 2, done: true });
    const letters = ['a', 'b'].map((messageId) => {
      return {
        origin: 'event-grid' as const,
        messageId,
        body: {},
        reason: 'bad-event',
        description: '',
        enqueuedAt: 0,
      };
    });
    await transact(db.index, (tx) => keepDeadLetters(tx, id, letters));
    const [settled] = await readOpenLetters(db.index.db, id, { limit: 1 });
    await transact(db.index, (tx) => settleLetter(tx, id, settled?.id ?? 0, 'replayed'));
    expect(await purgeJournal(db.index, id, NOW(), 10)).toEqual({ purged: 1, done: true });
    expect(await readOpenLetters(db.index.db, id, { limit: 5 })).toHaveLength(1);
    const runs: number[] = [];
    for (let at = 0; at < 3; at++) {
      const run = await startRun(db.index.db, id, { judge: 'inventory', prefix: '' });
      const found = { difference: 'not-indexed', cause: 'unstorable-name', state: 'open', evidence: {} } as const;
      await recordFindings(db.index.db, { accountId: id, runId: run }, [{ container: 'lake', name: 'n\0', ...found }]);
      await finishRun(db.index.db, run, { outcome: at < 2 ? 'complete' : 'rejected' });
      runs.push(run);
    }
    expect(await purgeRuns(db.index, id, NOW(), 10)).toEqual({ purged: 2, done: true });
    expect(await Promise.all(runs.map(async (run) => (await readRun(db.index.db, run))?.outcome))).toEqual([
      undefined,
      'complete',
      undefined,
    ]);
    const { rows } = await sql`select 1 from drift_findings where run_id <> ${runs[1]}`.execute(db.index.db);
    expect(rows).toEqual([]);
  });

  it('leaves the newest complete listing of everything, though one of a prefix is newer', async () => {
    const { id } = (await scopeOf(db.index)).account;
    const complete = async (prefix: string) => {
      const run = await startRun(db.index.db, id, { judge: 'listing', prefix });
      await finishRun(db.index.db, run, { outcome: 'complete' });
      return run;
    };
    const everything = await complete('');
    await complete('lake/');
    await purgeRuns(db.index, id, NOW(), 10);
    expect((await readRun(db.index.db, everything))?.outcome).toBe('complete');
  });

  it('takes the findings of a run in bounded batches, and the run with the last of them', async () => {
    const { id } = (await scopeOf(db.index)).account;
    const run = await startRun(db.index.db, id, { judge: 'listing', prefix: '' });
    const found = { difference: 'not-listed', cause: 'missed-by-both', state: 'repaired', evidence: {} } as const;
    const findings = Array.from({ length: 45 }, (_, at) => ({ container: 'lake', name: `n${at}`, ...found }));
    await recordFindings(db.index.db, { accountId: id, runId: run }, findings);
    await finishRun(db.index.db, run, { outcome: 'failed' });
    const left = async () => {
      const { rows } = await sql`select 1 from drift_findings where run_id = ${run}`.execute(db.index.db);
      return rows.length;
    };
    const steps = [];
    for (;;) {
      const { purged, done } = await purgeRuns(db.index, id, NOW(), 2);
      steps.push([purged, await left()]);
      if (done) break;
    }
    expect(steps).toEqual([
      [0, 25],
      [0, 5],
      [1, 0],
    ]);
  });

  it('leaves a run that waits for a person, and the newest complete one of each sink', async () => {
    const { id } = (await scopeOf(db.index)).account;
    const waits = await startRun(db.index.db, id, { judge: 'listing', prefix: '' });
    await awaitDecision(db.index.db, waits);
    const ofSinks = [];
    for (const sink of ['a', 'a', 'b']) {
      const run = await startRun(db.index.db, id, { judge: 'sink', prefix: '', sink });
      await finishRun(db.index.db, run, { outcome: 'complete' });
      ofSinks.push(run);
    }
    expect(await purgeRuns(db.index, id, NOW(), 10)).toEqual({ purged: 1, done: true });
    const there = await Promise.all([waits, ...ofSinks].map(async (run) => (await readRun(db.index.db, run))?.id));
    expect(there).toEqual([waits, undefined, ofSinks[1], ofSinks[2]]);
  });
});
