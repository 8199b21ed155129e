import { formatKey, type Key } from '../../namespace/key.ts';
import { hasCode, IsthmusError, messageOf } from '../../schema/errors.ts';
import { readCsvRows } from '../../schema/inventory/csv-rows.ts';
import { readParquetRows } from '../../schema/inventory/parquet-rows.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import { readRanges } from './read-ranges.ts';

/**
 * Reads one file of a report, a few thousand rows at a time.
 *
 * @throws IsthmusError `ISTHMUS_REPORT_REJECTED` where the file is missing, has another size than its manifest
 * says, changed while it was read, or cannot be read as its format: then nothing is concluded from the report.
 * What goes wrong on the way to the blob passes as it is.
 */
export async function* readReportFile(
  blobs: BlobSource,
  key: Key,
  file: { readonly format: 'csv' | 'parquet'; readonly size: number | undefined },
  signal: AbortSignal,
): AsyncGenerator<readonly InventoryRow[]> {
  const found = await blobs.look(key, signal);
  if (found.kind !== 'found') throw rejected(key, 'is missing');
  const { etag, length } = found.attributes;
  if (file.size !== undefined && file.size !== length) throw rejected(key, `has ${length} bytes, not ${file.size}`);

  let failure: unknown;
  const read = async function* (offset: number, count: number): AsyncGenerator<Uint8Array> {
    try {
      yield* readRanges(blobs, key, { etag, offset, length: count }, signal);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const readWhole = async (offset: number, count: number): Promise<Uint8Array> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of read(offset, count)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  try {
    yield* file.format === 'csv' ? readCsvRows(read(0, length)) : readParquetRows(length, readWhole);
  } catch (error) {
    if (hasCode(failure, 'ISTHMUS_SOURCE_CHANGED')) throw rejected(key, 'changed while it was read', error);
    if (failure !== undefined) throw failure;
    signal.throwIfAborted();
    throw rejected(key, `cannot be read: ${messageOf(error)}`, error);
  }
}

function rejected(key: Key, what: string, cause?: unknown): IsthmusError {
  return new IsthmusError('ISTHMUS_REPORT_REJECTED', `the report's file ${formatKey(key)} ${what}`, { cause });
}
