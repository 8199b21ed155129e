import { isStorableKey } from '../../../schema/index/storable.ts';
import type { Random } from '../../simulation/random.ts';
import { type ReportRow, rowsOf, writeReport } from '../support/report.ts';
import { plantLies, race } from './plant.ts';
import type { Played } from './played.ts';

const ALWAYS = ['Name', 'Etag', 'Content-Length', 'Last-Modified'];
const NOISE = ['Snapshot', 'VersionId', 'IsCurrentVersion', 'Deleted', 'hdi_isfolder'];
const UNREAD = ['Creation-Time', 'LeaseStatus', 'Content-CRC64'];
export const OPTIONAL = ['BlobType', 'AccessTier', 'Metadata', 'Content-MD5'];

/** Writes a report of the account while it is written to: a smear, in several files, with all that a real one holds besides. */
export function judgedReport(played: Played, lies: boolean): void {
  const { random, world } = played;
  const { blobs } = world;
  const start = blobs.time;
  const early = rowsOf(blobs).filter(({ name }) => name.length % 2 === 0);
  const planted = lies ? plantLies(played, rowsOf(blobs)) : rowsOf(blobs);
  const keep = new Map(planted.map((row) => [`${row.container}/${row.name}`, row]));
  for (let times = lies ? random.between(0, 4) : 0; times > 0; times--) played.late.push(race(played));
  blobs.later(random.between(1_000, 120_000));
  const late = rowsOf(blobs).filter(({ name }) => name.length % 2 === 1);
  const seen = [...early, ...late].flatMap((row): ReportRow[] => {
    const key = `${row.container}/${row.name}`;
    if (played.expected.has(key)) return keep.has(key) ? [keep.get(key) ?? row] : [];
    return [row];
  });
  const ghosts = planted.filter((row) => !world.blobs.containers.get(row.container)?.has(row.name));
  const listed = [...seen, ...ghosts.filter((row) => played.expected.has(`${row.container}/${row.name}`))];
  const noisy = random.chance(0.5);
  // What the index cannot hold, or has no rule for, is not staged, and so not known to be listed twice.
  const judged = listed.filter((row) => isStorableKey(row) && !row.name.startsWith('vast/'));
  const twice = random.chance(0.5) ? judged.filter(() => random.chance(0.1)) : [];
  const rows = random.shuffle([...listed, ...(noisy ? noiseOf(random, listed) : []), ...twice]);
  const fields = random
    .shuffle([...ALWAYS, ...played.columns, ...(noisy ? NOISE : []), ...UNREAD.filter(() => random.chance(0.3))])
    .map((field) => (random.chance(0.3) ? field.toLowerCase() : random.chance(0.1) ? field.toUpperCase() : field));
  writeReport(blobs, {
    ...{ rows, fields, start, rowsPerFile: random.between(5, 60) },
    format: random.chance(0.3) ? 'parquet' : 'csv',
    objectCount: random.chance(0.5) ? rows.length : rows.length - twice.length,
  });
}

/** Rows that are no live blobs, of names that are and that are not. */
function noiseOf(random: Random, rows: readonly ReportRow[]): readonly ReportRow[] {
  const kinds: readonly [object, ...object[]] = [
    { Snapshot: '2026-01-01T00:00:00.0000000Z' },
    { VersionId: '2026-01-01T00:00:00.0000000Z', IsCurrentVersion: 'false' },
    { Deleted: 'true' },
    { hdi_isfolder: 'true' },
  ];
  return rows.flatMap((row): ReportRow[] => {
    if (!random.chance(0.1)) return [];
    const named = random.chance(0.5) ? row : { ...row, name: `${row.name} that was` };
    return [{ ...named, attributes: { ...row.attributes, etag: '0x1' }, ...random.pick(kinds) }];
  });
}
