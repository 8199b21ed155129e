import { isSystemContainer } from '../../namespace/key.ts';
import { isStorableKey } from '../../schema/index/storable.ts';
import { readCsvRows } from '../../schema/inventory/csv-rows.ts';
import { readParquetRows } from '../../schema/inventory/parquet-rows.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';
import { includes, type KeySet } from '../scope/key-set.ts';
import { StagedRows } from '../staging/staged-rows.ts';
import type { FileJob, FileRead, ReportHost, UnstorableRow } from './report-host.ts';

/** Bytes that are asked for at once. The next ones are on their way meanwhile. */
const PIECE = 2 * 1024 * 1024;
/** Bytes that are staged at once. */
const FLUSH = 256 * 1024;
/** The last row of those goes beyond; one that does so by more makes room. */
const SLACK = 16 * 1024;
/** So many containers are remembered; an account may have more. */
const MOST_CONTAINERS = 20_000;
/** Names of one file that the index cannot hold are kept so far; the others are only counted. */
const MOST_UNSTORABLE = 1_000;

/** Reads a file and hands on its blobs as rows to stage. @throws Error where it is no file of this format. */
export async function encodeFile(job: FileJob, host: ReportHost): Promise<FileRead> {
  const batches =
    job.format === 'csv' ? readCsvRows(piecesOf(job, host)) : readParquetRows(job.length, host.read.bind(host));
  const known = new Map<string, number>();
  const encoded = new StagedRows(job, FLUSH + SLACK);
  let staging = Promise.resolve();
  const flush = async () => {
    await staging;
    staging = host.stage(encoded.take());
    // Awaited before the next one, and at the end.
    staging.catch(() => {});
  };
  let rows = 0;
  let staged = 0;
  let unstorable = 0;
  const unstorableNames: UnstorableRow[] = [];
  for await (const batch of batches) {
    rows += batch.length;
    const judged: InventoryRow[] = [];
    for (const row of batch) {
      if (!isJudged(row, job.scope)) continue;
      if (isStorableKey(row)) judged.push(row);
      else if (unstorable++ < MOST_UNSTORABLE) unstorableNames.push(unstorableRow(row));
    }
    await learn(known, judged, host);
    for (const row of judged) {
      encoded.add(row, known.get(row.container) ?? 0);
      if (encoded.length >= FLUSH) await flush();
    }
    staged += judged.length;
  }
  await flush();
  await staging;
  return { rows, staged, unstorable, unstorableNames };
}

function unstorableRow({ container, name, etag, length, lastModified }: InventoryRow): UnstorableRow {
  return { container, name, etag, length, lastModified };
}

/** Snapshots, old versions, deleted blobs and folders are no names. */
function isJudged(row: InventoryRow, scope: KeySet): boolean {
  return row.kind === 'base' && !isSystemContainer(row.container) && includes(scope, row);
}

async function learn(known: Map<string, number>, rows: readonly InventoryRow[], host: ReportHost): Promise<void> {
  const missing = new Set<string>();
  for (const { container } of rows) if (!known.has(container)) missing.add(container);
  if (missing.size === 0) return;
  if (known.size + missing.size > MOST_CONTAINERS) {
    known.clear();
    for (const { container } of rows) missing.add(container);
  }
  const names = [...missing];
  const ids = await host.containers(names);
  for (const [at, name] of names.entries()) {
    // A copy: the name itself is a part of the text that it was read from, and would keep all of it.
    known.set(Buffer.from(name).toString(), ids[at] ?? 0);
  }
}

async function* piecesOf({ length }: FileJob, host: ReportHost): AsyncGenerator<Uint8Array> {
  const ask = (offset: number) => {
    const piece = host.read(offset, Math.min(PIECE, length - offset));
    // Awaited in its turn.
    piece.catch(() => {});
    return piece;
  };
  let next = length === 0 ? undefined : ask(0);
  for (let offset = PIECE; next !== undefined; offset += PIECE) {
    const piece = await next;
    next = offset < length ? ask(offset) : undefined;
    yield piece;
  }
}
