import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, type Compressors, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { type Cell, type InventoryRow, isKnownColumn, readHeader, readRow } from './row.ts';

/** Reads `[offset, offset + length)` of one version of a file, whole. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** Node has what the format's own Snappy leaves open. */
const compressors: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
  ZSTD: (bytes) => zstdDecompressSync(bytes),
};

/** Reads a Parquet report of blobs: see `readParquet`. */
export function readParquetRows(
  size: number,
  read: ReadBytes,
  batch?: number,
): AsyncGenerator<readonly InventoryRow[]> {
  return readParquet(size, read, readRow, batch);
}

/**
 * Reads a Parquet report by range reads: the footer, then one row group after the other and in it only the
 * columns that mean something here, a few thousand rows at a time. Memory is that of one row group's columns,
 * not of the file.
 *
 * @throws Error where the file is cut off, damaged, or compressed in a way that Node cannot read.
 */
export async function* readParquet<Row>(
  size: number,
  read: ReadBytes,
  toRow: (cells: readonly Cell[]) => Row,
  batch = 2_000,
): AsyncGenerator<readonly Row[]> {
  const file: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = await read(start, end - start);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    },
  };
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata)
    .children.map((child) => child.element.name)
    .filter(isKnownColumn);
  const places = readHeader(columns);
  const row: Cell[] = [];
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    const columnsRead = new Map<string, Chunk[]>(columns.map((column) => [column, []]));
    await parquetRead({
      file,
      metadata,
      columns,
      compressors,
      rowStart: groupStart,
      rowEnd: groupEnd,
      onChunk: (chunk) => void columnsRead.get(chunk.columnName)?.push(chunk),
    });
    const cells = columns.map((column) => cellsOf(columnsRead.get(column) ?? [], groupStart, groupEnd, column));
    for (let at = groupStart; at < groupEnd; at += batch) {
      const rows: Row[] = [];
      const end = Math.min(at + batch, groupEnd);
      for (let number = at; number < end; number++) {
        for (const [column, place] of places.entries()) row[place] = cells[column]?.(number);
        rows.push(toRow(row));
      }
      yield rows;
    }
    groupStart = groupEnd;
  }
}

interface Chunk {
  readonly columnData: ArrayLike<unknown>;
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** Reads one column by row, in rising order of rows. A column that does not hold every row of its group is damage. */
function cellsOf(chunks: readonly Chunk[], start: number, end: number, column: string): (row: number) => Cell {
  let covered = start;
  for (const chunk of chunks) {
    if (chunk.rowStart !== covered) break;
    covered = chunk.rowEnd;
  }
  if (covered < end) throw new Error(`column ${column} ends at row ${covered} of ${end}`);
  let at = 0;
  return (row) => {
    while ((chunks[at]?.rowEnd ?? Number.POSITIVE_INFINITY) <= row) at++;
    const chunk = chunks[at];
    return chunk === undefined ? undefined : (chunk.columnData[row - chunk.rowStart] as Cell);
  };
}
