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

/** Rows of a group that are decoded at once: 100,000 of them took 100 MB of strings. */
const SLICE = 20_000;
/** A page that reaches over several slices is decoded for each: so many slices a group has at most. */
const MOST_SLICES = 8;

/**
 * Reads a Parquet report by range reads: the footer, then one row group after the other and in it only the
 * columns that mean something here, a few thousand rows at a time. Memory is that of one row group's columns as they
 * are stored, and of a slice of them decoded, not of the file.
 *
 * @throws Error where the file is cut off, damaged, or compressed in a way that Node cannot read.
 */
export async function* readParquet<Row>(
  size: number,
  read: ReadBytes,
  toRow: (cells: readonly Cell[]) => Row,
  batch = 2_000,
): AsyncGenerator<readonly Row[]> {
  // What a slice of a group reads the next one reads again.
  const ofGroup = new Map<string, Promise<ArrayBuffer>>();
  const file: AsyncBuffer = {
    byteLength: size,
    slice: (start, end = size) => {
      const place = `${start} ${end}`;
      const bytes = ofGroup.get(place) ?? readWhole(read, start, end);
      ofGroup.set(place, bytes);
      return bytes;
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
    const slice = Math.max(SLICE, Math.ceil((groupEnd - groupStart) / MOST_SLICES));
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += slice) {
      const rowEnd = Math.min(rowStart + slice, groupEnd);
      const columnsRead = new Map<string, Chunk[]>(columns.map((column) => [column, []]));
      const onChunk = (chunk: Chunk & { readonly columnName: string }) =>
        void columnsRead.get(chunk.columnName)?.push(chunk);
      await parquetRead({ file, metadata, columns, compressors, rowStart, rowEnd, onChunk });
      const cells = columns.map((column) => cellsOf(columnsRead.get(column) ?? [], rowStart, rowEnd, column));
      for (let at = rowStart; at < rowEnd; at += batch) {
        const rows: Row[] = [];
        const end = Math.min(at + batch, rowEnd);
        for (let number = at; number < end; number++) {
          for (const [column, place] of places.entries()) row[place] = cells[column]?.(number);
          rows.push(toRow(row));
        }
        yield rows;
      }
    }
    ofGroup.clear();
    groupStart = groupEnd;
  }
}

async function readWhole(read: ReadBytes, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = await read(start, end - start);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

interface Chunk {
  readonly columnData: ArrayLike<unknown>;
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** Reads one column by row, in rising order of rows; its first page may begin before. A column that does not hold every row is damage. */
function cellsOf(chunks: readonly Chunk[], start: number, end: number, column: string): (row: number) => Cell {
  let covered = start;
  for (const chunk of chunks) {
    if (chunk.rowStart > covered) break;
    covered = Math.max(covered, chunk.rowEnd);
  }
  if (covered < end) throw new Error(`column ${column} ends at row ${covered} of ${end}`);
  let at = 0;
  return (row) => {
    while ((chunks[at]?.rowEnd ?? Number.POSITIVE_INFINITY) <= row) at++;
    const chunk = chunks[at];
    return chunk === undefined ? undefined : (chunk.columnData[row - chunk.rowStart] as Cell);
  };
}
