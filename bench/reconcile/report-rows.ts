import { CONTENT_TYPE, containerOf, type Lake, nameOf, versionOf } from './lake.ts';

/** A field of the report, with its type in Parquet. */
export interface Field {
  readonly name: string;
  readonly type: 'STRING' | 'INT64' | 'TIMESTAMP' | 'BOOLEAN';
}

/** The order of the columns in `ReportRow`. */
export const FIELDS: readonly Field[] = [
  { name: 'Name', type: 'STRING' },
  { name: 'Creation-Time', type: 'TIMESTAMP' },
  { name: 'Last-Modified', type: 'TIMESTAMP' },
  { name: 'ETag', type: 'STRING' },
  { name: 'Content-Length', type: 'INT64' },
  { name: 'Content-Type', type: 'STRING' },
  { name: 'Content-MD5', type: 'STRING' },
  { name: 'BlobType', type: 'STRING' },
  { name: 'AccessTier', type: 'STRING' },
  { name: 'LeaseStatus', type: 'STRING' },
  { name: 'LeaseState', type: 'STRING' },
  { name: 'ServerEncrypted', type: 'BOOLEAN' },
  { name: 'Metadata', type: 'STRING' },
];

export type ReportRow = readonly (string | bigint | Date | boolean | undefined)[];

/** The rows of one data file, as Azure writes them: in no order. */
export function* reportRows(lake: Lake, from: number, to: number): Generator<ReportRow> {
  const step = stepOver(lake.rows);
  let row = Number((BigInt(from) * BigInt(step)) % BigInt(lake.rows));
  for (let place = from; place < to; place++, row = (row + step) % lake.rows) {
    const version = versionOf(lake, row, false);
    if (version === undefined) continue;
    const { etag, length, modified, md5, blobType, tier, metadata } = version;
    const time = new Date(modified);
    yield [
      ...[`${containerOf(row)}/${nameOf(row)}`, time, time, etag, BigInt(length), CONTENT_TYPE, md5, blobType, tier],
      ...['unlocked', 'available', true, metadata],
    ];
  }
}

/** A step that comes by every row once: without a common factor, and far from a neighbour. */
function stepOver(rows: number): number {
  let step = Math.max(1, Math.floor(rows * 0.618));
  while (divisor(step, rows) !== 1) step++;
  return step;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
