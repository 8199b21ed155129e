import { describe, expect, it } from 'vitest';
import type { Rule } from '../../namespace/rule.ts';
import { finishReconcileRun } from '../../reconciler/finish.ts';
import { judgeRun } from '../../reconciler/judge/judge-run.ts';
import { prepareRun } from '../../reconciler/prepare.ts';
import { RunLedger } from '../../reconciler/run/ledger.ts';
import { stageRun } from '../../reconciler/stage.ts';
import { noteGap, readGaps } from '../../schema/index/feed-gaps.ts';
import { readFindings } from '../../schema/index/findings.ts';
import { recentJournal } from '../../schema/index/journal.ts';
import { testIndex } from '../support/postgres.ts';
import { type ReportOptions, rowsOf, writeReport } from './support/report.ts';
import { settled } from './support/settled.ts';
import { EVERYTHING, makeWorld, NEVER, type World } from './support/world.ts';

const MINUTE = 60_000;

describe('an inventory report', () => {
  for (const format of ['csv', 'parquet'] as const) {
    it(`in ${format} heals what was lost: creates, overwrites and deletes, each by a look`, async () => {
      await using db = await testIndex();
      const world = await makeWorld(db.index);
      await settled(world, 20);
      world.blobs.delete('even', 'n004');
      world.blobs.put('odd', 'n005', 'another version');
      world.blobs.put('odd', 'new, "with"\nodd\tcharacters \\ é');
      world.blobs.later(10 * MINUTE);
      const start = world.blobs.time;
      writeReport(world.blobs, { format });

      const summary = await world.reconcile();
      expect(summary).toMatchObject({
        judge: 'inventory',
        outcome: 'complete',
        listed: 20,
        agreed: 18,
        looks: 3,
        missing: 1,
      });
      expect(world.blobs.looks.filter((look) => !look.startsWith('inventory/')).toSorted()).toEqual([
        'even/n004',
        'odd/n005',
        'odd/new, "with"\nodd\tcharacters \\ é',
      ]);
      expect(await world.names('even')).not.toContain('even/n004');
      expect(await world.names()).toContain('odd/new, "with"\nodd\tcharacters \\ é');
      expect(await world.horizon()).toBe(start);
      const causes = (await readFindings(db.index.db, summary.runId, { limit: 10 })).map(({ name, difference }) => [
        name,
        difference,
      ]);
      expect(Object.fromEntries(causes)).toEqual({
        n005: 'other-version',
        'new, "with"\nodd\tcharacters \\ é': 'not-indexed',
        n004: 'not-listed',
      });
      const again = await world.reconcile();
      expect(again).toMatchObject({ judge: 'none', outcome: 'nothing-to-do' });
    });
  }

  it('9: leaves the gaps of the feed open: its rule may leave out what they are about', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 4);
    const { id } = world.judging.account;
    await noteGap(db.index.db, id, { missing: 'log/00/1.avro', detail: {} });
    world.blobs.later(10 * MINUTE);
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ judge: 'inventory', outcome: 'complete' });
    expect(await readGaps(db.index.db, id, { limit: 5, open: true })).toHaveLength(1);
  });

  it('fills attributes of the same version without a look', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 6);
    await db.index.db.updateTable('entries').set({ last_modified: null, tier: null }).execute();
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ outcome: 'complete', filled: 6, agreed: 0, looks: 0 });
    for (const entry of await world.live()) {
      expect(entry.attributes).toEqual(world.blobs.containers.get(entry.container)?.get(entry.name)?.attributes);
    }
    world.blobs.later(MINUTE);
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ filled: 0, agreed: 6, looks: 0 });
  });

  it('takes the blobs from among snapshots, versions, deleted ones, folders, duplicates and names it cannot hold', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 6);
    const rows = rowsOf(world.blobs);
    const first = rows[0];
    if (first === undefined) throw new Error('no rows');
    const odd = [
      { ...first, name: 'snapshot', Snapshot: '2026-01-01T00:00:00Z' },
      { ...first, name: 'version', VersionId: 'v1', IsCurrentVersion: 'false' },
      { ...first, name: 'deleted', Deleted: 'true' },
      { ...first, name: 'folder', hdi_isfolder: 'true' },
      { ...first, name: 'nul\0' },
    ];
    const fields = [
      'hdi_isfolder',
      'DELETED',
      'Snapshot',
      'VersionId',
      'isCurrentVersion',
      'etag',
      'content-length',
      'NAME',
    ];
    // Twice the same name: Azure may count it once or twice.
    for (const objectCount of [11, 12]) {
      writeReport(world.blobs, { rows: [...odd, first, ...rows], fields, objectCount, start: world.blobs.time });
      const summary = await world.reconcile();
      expect(summary).toMatchObject({ outcome: 'complete', listed: 6, agreed: 6, looks: 0, missing: 0 });
      expect(await readFindings(db.index.db, summary.runId, { limit: 10 })).toMatchObject([
        { name: 'nul\ufffd', difference: 'not-indexed', cause: 'unstorable-name', state: 'open' },
      ]);
      world.blobs.later(MINUTE);
    }
  });

  it('without ETags can still tell absence and length', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 10);
    world.blobs.delete('odd', 'n001');
    world.blobs.put('even', 'n002', 'of another length');
    world.blobs.later(MINUTE);
    writeReport(world.blobs, { fields: ['Name', 'Content-Length'] });
    expect(await world.reconcile()).toMatchObject({ outcome: 'complete', agreed: 8, looks: 2, missing: 1 });
    const entry = (await world.live('even/n002'))[0];
    expect(entry?.attributes?.length).toBe('of another length'.length);
  });

  it('says nothing of what its rule leaves out', async () => {
    await using db = await testIndex();
    const rules: Rule[] = [EVERYTHING, { prefix: 'even/n004', authority: 'vast', sink: 'vast' }];
    const world = await makeWorld(db.index, rules);
    await settled(world, 20);
    const absent: [object, string[]][] = [
      [{ prefixMatch: ['odd/n00'] }, ['odd/n001', 'odd/n003', 'odd/n005', 'odd/n007', 'odd/n009']],
      [{ excludePrefix: ['even', 'odd/n00', 'odd/n01'] }, []],
      [{ blobTypes: ['pageBlob'] }, []],
      [{ creationTime: { lastNDays: 7 } }, []],
      [{ prefixMatch: ['odd/'], excludePrefix: ['odd/n0'], blobTypes: ['blockBlob'] }, []],
    ];
    // Nothing is listed but one name that is there, so all that is in scope is missing.
    const rows = rowsOf(world.blobs).slice(0, 1);
    for (const [filters, expected] of absent) {
      world.blobs.looks.length = 0;
      writeReport(world.blobs, { filters, rows });
      expect(await world.reconcile({ judge: 'inventory' })).toMatchObject({
        outcome: 'complete',
        missing: expected.length,
      });
      const looks = world.blobs.looks.filter((look) => /^(even|odd)\/n/.test(look));
      expect(looks.toSorted()).toEqual(expected);
      world.blobs.later(MINUTE);
    }
    expect((await world.names()).length).toBe(19);
  });

  it('asks a container of which it lists nothing, once', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 20);
    world.blobs.containers.delete('odd');
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ outcome: 'complete', missing: 10, looks: 0, listed: 10 });
    expect((await world.names()).length).toBe(10);
  });

  it('leaves alone what changed after it read it', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 6);
    const rows = rowsOf(world.blobs);
    const start = world.blobs.time;
    world.blobs.later(30 * MINUTE);
    world.blobs.put('odd', 'n001', 'newer than the report');
    world.blobs.delete('odd', 'n003');
    world.blobs.put('odd', 'made since');
    await world.reconcile({ judge: 'listing' });
    world.blobs.looks.length = 0;
    writeReport(world.blobs, { rows, start });
    expect(await world.reconcile()).toMatchObject({ outcome: 'complete', looks: 0, agreed: 6, missing: 0 });
    expect(world.blobs.looks.filter((look) => look.startsWith('odd'))).toEqual([]);
  });
});

describe('a version that is older than its entry', () => {
  it('is believed to have been, unless the report began after the entry had its own', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 6);
    const before = rowsOf(world.blobs);
    const start = world.blobs.time;
    world.blobs.later(10 * MINUTE);
    world.blobs.put('odd', 'n001', 'the newer version');
    await world.reconcile({ judge: 'listing' });
    writeReport(world.blobs, { rows: before, start });
    expect(await world.reconcile()).toMatchObject({ looks: 0, agreed: 6 });
    // The same rows, read ten minutes after: the older version is back (undeleted, restored).
    world.blobs.later(10 * MINUTE);
    writeReport(world.blobs, { rows: before });
    expect(await world.reconcile()).toMatchObject({ looks: 1, agreed: 5 });
  });
});

describe('7: an empty, short or unreadable report deletes nothing', () => {
  const cases: [what: string, options: (world: World) => ReportOptions, outcome: string, reason: RegExp][] = [
    ['empty', () => ({ rows: [] }), 'guarded', /lists nothing at all/],
    [
      'short of its count',
      (world) => ({ rows: rowsOf(world.blobs).slice(1), objectCount: 20 }),
      'rejected',
      /19 rows.*counts 20/,
    ],
    ['longer than its count', () => ({ objectCount: 19 }), 'rejected', /20 rows.*counts 19/],
    ['failed', () => ({ status: 'Failed' }), 'rejected', /ended as Failed/],
    ['partial', () => ({ status: 'PartiallySucceeded' }), 'rejected', /PartiallySucceeded/],
    ['of a status nobody knows', () => ({ status: 'Abandoned' }), 'rejected', /status/],
    ['begun in the future', (world) => ({ start: world.blobs.time + MINUTE }), 'rejected', /begins in the future/],
    ['of containers', () => ({ objectType: 'container' }), 'nothing-to-do', /containers/],
    ['under a wrong checksum', () => ({ checksum: 'd41d8cd98f00b204e9800998ecf8427e' }), 'rejected', /checksum/],
    ['cut off', () => ({ damage: (bytes: Uint8Array) => bytes.slice(0, -5) }), 'rejected', /bytes, not/],
    [
      'cut off in Parquet',
      () => ({ format: 'parquet', damage: (bytes) => bytes.slice(0, -5) }),
      'rejected',
      /bytes, not/,
    ],
    ['damaged at its full size', () => ({ damage: (bytes) => bytes.fill(34, 90) }), 'rejected', /cannot be read/],
    [
      'damaged in Parquet',
      () => ({ format: 'parquet', damage: (bytes) => bytes.fill(7, 4, 60) }),
      'rejected',
      /cannot be read/,
    ],
    ['without names', () => ({ fields: ['Etag', 'Content-Length'] }), 'rejected', /no Name column/],
    ['pending', () => ({ status: 'Pending', checksum: false as const }), 'nothing-to-do', /is Pending/],
    ['without its checksum yet', () => ({ checksum: false as const }), 'nothing-to-do', /no checksum yet/],
  ];
  for (const [what, options, outcome, reason] of cases) {
    it(`one that is ${what}`, async () => {
      await using db = await testIndex();
      const world = await makeWorld(db.index);
      await settled(world, 20);
      const horizon = await world.horizon();
      const report = options(world);
      for (const container of ['even', 'odd']) world.blobs.containers.get(container)?.clear();
      const rows =
        report.rows ??
        [...(await world.live())].map(({ container, name, attributes }) => ({
          ...{ container, name },
          attributes: attributes ?? { etag: '', length: 0 },
        }));
      writeReport(world.blobs, { ...report, rows });
      const summary = await world.reconcile();
      expect(summary).toMatchObject({ outcome, looks: 0 });
      expect(summary.reason).toMatch(reason);
      expect((await world.names()).length).toBe(20);
      expect(await world.horizon()).toBe(horizon);
      const journal = (await recentJournal(db.index.db, world.judging.account.id, { limit: 10 })).map(
        ({ kind }) => kind,
      );
      if (outcome === 'rejected') expect(journal).toContain('report-rejected');
      if (outcome === 'guarded') expect(journal).toContain('reconcile-guarded');
      const staging = await db.index.pool.query(`select from pg_tables where tablename like 'reconcile%'`);
      expect(staging.rowCount).toBe(0);
    });
  }

  it('one of which a file is missing', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 20);
    writeReport(world.blobs);
    const files = world.blobs.containers.get('inventory');
    for (const name of files?.keys() ?? []) if (name.endsWith('_2.csv')) files?.delete(name);
    const summary = await world.reconcile();
    expect(summary).toMatchObject({ outcome: 'rejected' });
    expect(summary.reason).toMatch(/_2.csv is missing/);
    expect((await world.names()).length).toBe(20);
  });

  it('one that lacks more than the guard allows, until somebody has looked', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 200);
    const rows = rowsOf(world.blobs).slice(0, 90);
    writeReport(world.blobs, { rows, rowsPerFile: 1_000 });
    const summary = await world.reconcile();
    expect(summary).toMatchObject({ outcome: 'guarded', missing: 110, looks: 0, agreed: 90 });
    expect(summary.reason).toMatch(/lacks 110 of 200 live names \(55.0 %/);
    expect((await world.names()).length).toBe(200);
    // Wider, it looks, and the looks find them all.
    const wide = await world.reconcile({ judge: 'inventory' }, { percent: 60, names: 100 });
    expect(wide).toMatchObject({ outcome: 'complete', missing: 110, looks: 110 });
    expect((await world.names()).length).toBe(200);
  });
});

describe('a run whose worker or server dies', () => {
  it('is taken up at the file that it was in, and counts nothing twice', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    await settled(world, 20);
    writeReport(world.blobs);
    const { runId } = await prepareRun(world.judging, { judge: 'auto' }, NEVER);
    const read: string[] = [];
    let fails = true;
    world.blobs.onRequest = (what) => {
      read.push(what);
      // The rows of the third file are staged, the file is not.
      if (fails && /_3\.csv/.test(what)) throw new Error('killed');
    };
    await expect(stageRun(world.judging, runId, NEVER)).rejects.toThrow('killed');
    fails = false;
    read.length = 0;
    const { staged } = (await RunLedger.open(db.index, runId)).state;
    await db.index.pool.query(
      `insert into reconcile_${runId}_listed (part, account_id, container_id, head, tail, tail_hash)
       values (3, $1, 1, 'half', '', '')`,
      [world.judging.account.id],
    );
    expect((await world.reconcile()).runId).toBe(runId);
    const again = read.flatMap((what) => /_(\d)\.csv/.exec(what)?.[1] ?? []);
    expect(again.toSorted().map(Number)).toEqual([0, 1, 2, 3, 4].filter((file) => !staged.includes(file)));
    expect(again).toContain('3');
    expect(again.length).toBeLessThan(3);
    const summary = await finishReconcileRun(world.judging, runId, { mostMs: 0, pollMs: 1 }, NEVER);
    expect(summary).toMatchObject({ outcome: 'complete', listed: 20, agreed: 20, looks: 0, missing: 0 });
  });

  for (const phase of ['compare', 'present', 'plan'] as const) {
    it(`7: concludes nothing from rows that the server lost (${phase})`, async () => {
      await using db = await testIndex();
      const world = await makeWorld(db.index);
      await settled(world, 20);
      world.blobs.delete('even', 'n000');
      writeReport(world.blobs);
      const { runId } = await prepareRun(world.judging, { judge: 'auto' }, NEVER);
      await stageRun(world.judging, runId, NEVER);
      // What a crash of Postgres does to tables that are not logged.
      const { rows } = await db.index.pool.query(`select tablename from pg_tables where tablename like 'reconcile_%'`);
      await db.index.pool.query(`truncate ${rows.map(({ tablename }) => tablename).join()}`);
      await db.index.pool.query(`update runs set state = state || $1 where id = $2`, [
        JSON.stringify({ phase }),
        runId,
      ]);
      await expect(judgeRun(world.judging, runId, NEVER)).rejects.toThrow(/are read again/);
      const ledger = await judgeRun(world.judging, runId, NEVER);
      expect(ledger.counts).toMatchObject({ rows: 19, listed: 19, agreed: 19, missing: 1, looks: 1 });
      await world.answerLooks();
      const summary = await finishReconcileRun(world.judging, runId, { mostMs: 0, pollMs: 1 }, NEVER);
      expect(summary).toMatchObject({ outcome: 'complete' });
      expect((await world.names()).length).toBe(19);
    });
  }
});
