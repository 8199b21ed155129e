import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { type Header, type InventoryRow, readHeader, readRow } from './row.ts';

/**
 * Reads a CSV report (RFC 4180: names may hold commas, quotes and line breaks), a few thousand rows at a
 * time. Memory does not grow with the file.
 *
 * @throws Error with the line where the text is no CSV, ends within a quote, or a row has other columns than the header.
 */
export async function* readCsvRows(
  bytes: AsyncIterable<Uint8Array>,
  batch = 2_000,
): AsyncGenerator<readonly InventoryRow[]> {
  const parser = parse({ bom: true, relax_column_count: false, skip_empty_lines: true, max_record_size: 1 << 20 });
  const source = Readable.from(bytes, { objectMode: false });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    let header: Header | undefined;
    let rows: InventoryRow[] = [];
    for await (const record of parser as AsyncIterable<readonly string[]>) {
      if (header === undefined) {
        header = readHeader(record);
        continue;
      }
      rows.push(readRow(header, record));
      if (rows.length < batch) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  } finally {
    source.destroy();
    parser.destroy();
  }
}
