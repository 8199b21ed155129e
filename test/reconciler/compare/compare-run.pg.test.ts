import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../namespace/rule.ts';
import { compareRun } from '../../../reconciler/compare/compare-run.ts';
import { prepareRun } from '../../../reconciler/prepare.ts';
import { RunLedger } from '../../../reconciler/run/ledger.ts';
import { stageRun } from '../../../reconciler/stage.ts';
import { Staging } from '../../../reconciler/staging/staging.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { testIndex } from '../../support/postgres.ts';
import { rowsOf, writeReport } from '../support/report.ts';
import { settled } from '../support/settled.ts';
import { EVERYTHING, makeWorld, NEVER, type World } from '../support/world.ts';

async function staged(world: World) {
  const { index, account } = world.judging;
  const { runId } = await prepareRun(world.judging, { judge: 'inventory' }, NEVER);
  await stageRun(world.judging, runId, NEVER);
  return { runId, staging: new Staging(index, { accountId: account.id, runId }) };
}

describe('comparing', () => {
  it('folds what is listed twice to the version that was read last, and counts each name once', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 20);
    const rows = rowsOf(world.blobs);
    const [first, second, third] = rows;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no rows');
    const older = (row: typeof first) => ({
      ...row,
      attributes: { ...row.attributes, etag: '0x1', lastModified: (row.attributes.lastModified ?? 0) - 60_000 },
    });
    const later = {
      ...third,
      attributes: { ...third.attributes, etag: '0x2', lastModified: world.blobs.time - 1_000 },
    };
    const unknown = { ...first, name: 'not in the index' };
    // The same twice; an older version and the one that agrees; one that agrees and a newer one; a new name thrice.
    const more = [first, older(second), later, unknown, older(unknown), unknown];
    writeReport(world.blobs, { rows: [...more, ...rows], rowsPerFile: 7 });
    const { runId, staging } = await staged(world);
    const ledger = await RunLedger.open(db.index, runId);
    await compareRun(world.judging, ledger, staging, NEVER);
    expect(ledger.counts).toMatchObject({ rows: 26, listed: 21, agreed: 19, live: 20, missing: 0 });
    const { rows: differing } = await db.index.pool.query(
      `select head as name, etag from reconcile_${runId}_differing order by head`,
    );
    expect(differing).toEqual(
      [
        { name: third.name, etag: '0x2' },
        { name: unknown.name, etag: unknown.attributes.etag },
      ].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  });

  it('7: takes nothing for missing that a rule lets in which came after the judge was staged', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 20);
    const odd: Rule[] = [EVERYTHING, { prefix: 'even/', authority: 'vast', sink: 'vast' }];
    const { id } = world.judging.account;
    await publishRules(db.index, id, odd, 'even is of VAST');
    await new Promise((passed) => setTimeout(passed, 5));
    writeReport(world.blobs);
    const { runId, staging } = await staged(world);
    await publishRules(db.index, id, [EVERYTHING], 'even is of Blob again');
    const ledger = await RunLedger.open(db.index, runId);
    await compareRun(world.judging, ledger, staging, NEVER);
    expect(ledger.counts).toMatchObject({ listed: 10, agreed: 10, live: 10, missing: 0 });
  });

  it('goes on with the partitions that an attempt which died has not done, and counts none twice', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 40);
    writeReport(world.blobs, { rows: rowsOf(world.blobs).slice(1), rowsPerFile: 50 });
    const { runId, staging } = await staged(world);
    const broken = await RunLedger.open(db.index, runId);
    const abort = new AbortController();
    const { step } = broken;
    broken.step = async (...of) => {
      await step.apply(broken, of);
      if (broken.state.compared.length === 5) abort.abort(new Error('killed'));
    };
    await expect(compareRun(world.judging, broken, staging, abort.signal)).rejects.toThrow('killed');
    const done = broken.state.compared.length;
    expect(done).toBeGreaterThanOrEqual(5);
    expect(done).toBeLessThan(16);
    const ledger = await RunLedger.open(db.index, runId);
    await compareRun(world.judging, ledger, staging, NEVER);
    expect(ledger.state).toMatchObject({ phase: 'present', partitions: 16 });
    expect(new Set(ledger.state.compared).size).toBe(16);
    expect(ledger.counts).toMatchObject({ listed: 39, agreed: 39, live: 40, missing: 1 });
  });
});
