import { CsvScanner } from './csv-scanner.ts';
import { type Cell, type InventoryRow, readHeader, readRow } from './row.ts';

const LF = 10;
const BOM = '\ufeff';
/** Bytes that are decoded at once: what becomes of them is gone before the next ones come. */
const STEP = 256 * 1024;

/** Reads a CSV report of blobs: see `readCsv`. */
export function readCsvRows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly InventoryRow[]> {
  return readCsv(bytes, readRow);
}

/**
 * Reads a CSV report (RFC 4180: names may hold commas, quotes and line breaks), a thousand rows or so at a time.
 * Memory does not grow with the file.
 *
 * @throws Error with the line where the text is no CSV, ends within a quote, or a row has other columns than the
 * header, and where there is no header at all.
 */
export async function* readCsv<Row>(
  bytes: AsyncIterable<Uint8Array>,
  toRow: (cells: readonly Cell[]) => Row,
): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = [];
  let headed = false;
  const scanner = new CsvScanner(
    (names) => {
      headed = true;
      return readHeader(names);
    },
    (cells) => void rows.push(toRow(cells)),
  );
  for await (const text of textsOf(bytes)) {
    scanner.read(text);
    if (rows.length > 0) yield rows;
    rows = [];
  }
  scanner.end();
  if (!headed) throw new Error('it is empty, without a header');
  if (rows.length > 0) yield rows;
}

/** Decodes bytes up to a line break, which is no part of any other character. */
async function* textsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let waiting: Uint8Array[] = [];
  let first = true;
  const decode = (): string => {
    const text = Buffer.concat(waiting).toString('utf8');
    const begins = first;
    first = false;
    return begins && text.startsWith(BOM) ? text.slice(1) : text;
  };
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length; at += STEP) {
      const step = piece.subarray(at, at + STEP);
      const cut = step.lastIndexOf(LF) + 1;
      waiting.push(step.subarray(0, cut));
      if (cut > 0) {
        yield decode();
        waiting = [];
      }
      waiting.push(step.subarray(cut));
    }
  }
  yield decode();
}
