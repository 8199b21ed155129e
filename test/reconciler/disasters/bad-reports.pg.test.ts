import { describe, expect, it } from 'vitest';
import { formatKey } from '../../../namespace/key.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { manyWorlds } from '../support/many-worlds.ts';
import { type ReportOptions, type ReportRow, writeReport } from '../support/report.ts';
import { settled } from '../support/settled.ts';
import { EVERYTHING, type World } from '../support/world.ts';

const DAY = 86_400_000;
const STOP = { percent: 1, names: 3 };
const world = manyWorlds();

type Case = readonly [what: string, report: ReportOptions, outcome: string, reason: RegExp];

/** The last line's end before the middle of a file. */
function cutAtRow(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, bytes.lastIndexOf(10, bytes.length / 2) + 1);
}

const FOOTER = (bytes: Uint8Array) => bytes.fill(0, -8, -4);
const METADATA = (bytes: Uint8Array) => bytes.fill(255, -60, -20);

const CASES: readonly Case[] = [
  ['empty', { rows: [] }, 'guarded', /lists nothing at all/],
  ['of one file out of ten', { files: 1 }, 'rejected', /2 rows.*counts 20/],
  ['of one file out of ten, and counts its rows alone', { files: 1, objectCount: 2 }, 'guarded', /18 of 20/],
  ['longer than its count', { objectCount: 19 }, 'rejected', /20 rows.*counts 19/],
  ['shorter than its count', { objectCount: 21 }, 'rejected', /20 rows.*counts 21/],
  ['cut off', { damage: (bytes) => bytes.slice(0, -5) }, 'rejected', /bytes, not/],
  ["cut off at a row's end, with its size", { damage: cutAtRow, lies: true }, 'rejected', /rows.*counts 20/],
  ['cut off in a row, with its size', { damage: (bytes) => bytes.slice(0, -9), lies: true }, 'rejected', /./],
  ['damaged at its full size', { damage: (bytes) => bytes.fill(34, 90) }, 'rejected', /cannot be read/],
  ['cut off in Parquet', { format: 'parquet', damage: (bytes) => bytes.slice(0, -5) }, 'rejected', /bytes, not/],
  [
    'cut off in Parquet, with its size',
    { format: 'parquet', damage: (bytes) => bytes.slice(0, -50), lies: true },
    'rejected',
    /cannot be read/,
  ],
  ['of a Parquet footer without a length', { format: 'parquet', damage: FOOTER }, 'rejected', /cannot be read/],
  ['of a damaged Parquet footer', { format: 'parquet', damage: METADATA }, 'rejected', /cannot be read|0 rows/],
  ['damaged in Parquet', { format: 'parquet', damage: (b) => b.fill(7, 4, 60) }, 'rejected', /cannot be read/],
  ['without names', { fields: ['Etag', 'Content-Length'] }, 'rejected', /no Name column/],
  ['of another account', { account: 'neighbour' }, 'rejected', /of the account neighbour/],
  ['of containers', { objectType: 'container' }, 'nothing-to-do', /containers/],
  ['Pending', { status: 'Pending', checksum: false }, 'nothing-to-do', /is Pending/],
  ['Failed', { status: 'Failed' }, 'rejected', /ended as Failed/],
  ['PartiallySucceeded', { status: 'PartiallySucceeded' }, 'rejected', /PartiallySucceeded/],
  ['of a status nobody knows', { status: 'Abandoned' }, 'rejected', /status/],
  ['under the checksum of another', { checksum: 'd41d8cd98f00b204e9800998ecf8427e' }, 'rejected', /checksum/],
  ['without its checksum', { checksum: false }, 'nothing-to-do', /no checksum yet/],
];

describe('7: a report from which nothing may be concluded deletes nothing, though a HEAD would find every blob gone', () => {
  it.each(CASES)('one that is %s', async (_what, report, outcome, reason) => {
    const here = await emptied();
    writeReport(here.blobs, { rowsPerFile: 2, ...report, rows: report.rows ?? here.rows });
    await expectNothingDeleted(here, outcome, reason);
  });

  it('one that is two weeks old', async () => {
    const here = await emptied();
    const start = here.blobs.time;
    writeReport(here.blobs, { rows: here.rows.slice(0, 10), start });
    here.blobs.later(14 * DAY);
    await expectNothingDeleted(here, 'rejected', /14 days ago/);
  });

  it('one of which a file is missing', async () => {
    const here = await emptied();
    writeReport(here.blobs, { rowsPerFile: 2, rows: here.rows });
    const files = here.blobs.containers.get('inventory');
    for (const name of files?.keys() ?? []) if (name.endsWith('_2.csv')) files?.delete(name);
    await expectNothingDeleted(here, 'rejected', /_2.csv is missing/);
  });

  it('one of a rule that was removed: none comes any more', async () => {
    const here = await emptied({ judged: true });
    await expectNothingDeleted(here, 'nothing-to-do', /was judged by already/);
  });
});

interface Emptied extends World {
  /** What the blobs were that the index has. */
  readonly rows: readonly ReportRow[];
  readonly live: World['live'];
}

/** An account that lost all of its twenty blobs, of which the index knows nothing yet. */
async function emptied({ judged = false } = {}): Promise<Emptied> {
  const made = await world([{ ...EVERYTHING, stop: STOP }]);
  await settled(made, 20);
  if (judged) {
    writeReport(made.blobs);
    await made.reconcile();
    made.blobs.looks.length = 0;
  }
  for (const container of ['even', 'odd']) made.blobs.containers.get(container)?.clear();
  const rows = (await made.live()).map(({ container, name, attributes }): ReportRow => {
    return { container, name, attributes: attributes ?? { etag: '', length: 0 } };
  });
  return { ...made, rows };
}

async function expectNothingDeleted(here: Emptied, outcome: string, reason: RegExp): Promise<void> {
  const horizon = await here.horizon();
  const summary = await here.reconcile({}, STOP);
  expect(summary).toMatchObject({ outcome, looks: 0 });
  expect(summary.reason).toMatch(reason);
  expect(await here.names()).toEqual(here.rows.map(formatKey));
  expect(here.blobs.looks.filter((look) => !look.startsWith('inventory/') && !look.endsWith('-there'))).toEqual([]);
  expect(await here.horizon()).toBe(horizon);
  const journal = await recentJournal(here.index.db, here.judging.account.id, { limit: 10 });
  const kinds = journal.map(({ kind }) => kind);
  if (outcome === 'rejected') expect(kinds).toContain('report-rejected');
  if (outcome === 'guarded') expect(kinds).toContain('reconcile-guarded');
  const staging = await here.index.pool.query(
    `select from pg_tables where tablename like 'reconcile\\_${summary.runId}\\_%'`,
  );
  expect(staging.rowCount).toBe(0);
}
