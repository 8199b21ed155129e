import { describe, expect, it } from 'vitest';
import { type ReportReader, ThreadReader } from '../../reconciler/inventory/report-reader.ts';
import { type Readers, stageReport } from '../../reconciler/inventory/stage-report.ts';
import { prepareRun } from '../../reconciler/prepare.ts';
import { RunLedger } from '../../reconciler/run/ledger.ts';
import { Staging } from '../../reconciler/staging/staging.ts';
import { testIndex } from '../support/postgres.ts';
import { writeReport } from './support/report.ts';
import { settled } from './support/settled.ts';
import { makeWorld, NEVER, type World } from './support/world.ts';

const ODD = ['a, "b"\nc', 'tab\tback\\slash\rline', 'é\u{1f600}', 'x'.repeat(600), '\\N', '\\.'];

/** A run of a report of 26 blobs that are staged by threads. */
async function begun(world: World, format: 'csv' | 'parquet') {
  await settled(world, 20);
  for (const name of ODD) world.blobs.put('odd', name, name, { metadata: { key: `${name.slice(0, 9)}"` } });
  writeReport(world.blobs, { format });
  const { index, account } = world.judging;
  const { runId } = await prepareRun(world.judging, { judge: 'inventory' }, NEVER);
  const staging = new Staging(index, { accountId: account.id, runId });
  await staging.create();
  return { runId, staging };
}

function threads(): { readonly readers: Readers; readonly open: ReportReader[] } {
  const open: ReportReader[] = [];
  const readers: Readers = {
    atOnce: 2,
    open() {
      const reader = new ThreadReader();
      open.push(reader);
      return reader;
    },
  };
  return { readers, open };
}

describe('threads that read a report', () => {
  for (const format of ['csv', 'parquet'] as const) {
    it(`stage what its files in ${format} say, side by side`, async () => {
      await using db = await testIndex();
      const world = await makeWorld(db.index);
      const { runId, staging } = await begun(world, format);
      const ledger = await RunLedger.open(db.index, runId);
      const { readers, open } = threads();
      await stageReport(world.judging, ledger, staging, NEVER, readers);
      expect(open).toHaveLength(2);
      expect(ledger.ended).toBe(false);
      expect(ledger.state).toMatchObject({ stagedRows: 26, staged: expect.arrayContaining([0, 1, 2, 3, 4, 5, 6]) });
      const { rows } = await db.index.pool.query(
        `select name || '/' || head || tail as key, etag, length, blob_type as "blobType", last_modified as "lastModified",
           tier, metadata from reconcile_${runId}_listed l join containers c on c.id = l.container_id`,
      );
      const told = new Map(rows.map(({ key, ...attributes }) => [key, attributes]));
      expect(told.size).toBe(26);
      for (const [container, blobs] of world.blobs.containers) {
        if (container === 'inventory') continue;
        for (const [name, { attributes }] of blobs) {
          expect(told.get(`${container}/${name}`), name).toEqual({ metadata: null, ...attributes });
        }
      }
    });
  }

  it('that die fail the attempt, which the next one takes up; nothing of their files is staged', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const { runId, staging } = await begun(world, 'csv');
    const { readers, open } = threads();
    world.blobs.onRequest = (what) => {
      if (what.includes('_2.csv')) for (const reader of open) void reader[Symbol.asyncDispose]();
    };
    const first = await RunLedger.open(db.index, runId);
    await expect(stageReport(world.judging, first, staging, NEVER, readers)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
    });
    expect(first.ended).toBe(false);
    expect(await staging.count()).toBe(first.state.stagedRows);
    world.blobs.onRequest = () => {};
    const second = await RunLedger.open(db.index, runId);
    await stageReport(world.judging, second, staging, NEVER, threads().readers);
    expect(second.state.stagedRows).toBe(26);
    expect(second.counts.rows).toBe(26);
  });

  it('end when the attempt is broken off', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const { runId, staging } = await begun(world, 'parquet');
    const abort = new AbortController();
    world.blobs.onRequest = (what) => {
      if (what.includes('_1.parquet')) abort.abort(new Error('stopped'));
    };
    const ledger = await RunLedger.open(db.index, runId);
    await expect(stageReport(world.judging, ledger, staging, abort.signal, threads().readers)).rejects.toThrow(
      'stopped',
    );
    expect(ledger.ended).toBe(false);
    expect(await staging.count()).toBe(ledger.state.stagedRows);
  });
});
