/** Writes one data file of a report; says its rows and bytes. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { argumentOf, say } from '../child.ts';
import type { Lake } from './lake.ts';
import { FIELDS, type ReportRow, reportRows } from './report-rows.ts';
import type { ReportFormat } from './write-report.ts';

export interface ReportFileArgument {
  readonly lake: Lake;
  readonly format: ReportFormat;
  readonly from: number;
  readonly to: number;
  readonly file: string;
}

export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
}

const FLUSH = 1 << 20;
const GROUP_ROWS = 100_000;

const { lake, format, from, to, file } = argumentOf<ReportFileArgument>();
const source = reportRows(lake, from, to);
const rows = format === 'csv' ? writeCsv(file, source) : writeParquet(file, source);
const written: WrittenFile = { rows, bytes: (await stat(file)).size };
say(written);

/** No value but a record of metadata needs quotes. */
function writeCsv(path: string, lines: Iterable<ReportRow>): number {
  const output = openSync(path, 'w');
  let text = `${FIELDS.map(({ name }) => name).join(',')}\n`;
  let count = 0;
  for (const [
    name,
    created,
    modified,
    etag,
    length,
    type,
    md5,
    blobType,
    tier,
    status,
    state,
    encrypted,
    tags,
  ] of lines) {
    const time = timeText(created);
    const last = modified === created ? time : timeText(modified);
    const metadata = tags === undefined ? '' : `"${String(tags).replaceAll('"', '""')}"`;
    text += `${name},${time},${last},${etag},${length},${type},${md5},${blobType},${tier},${status},${state},${encrypted},${metadata}\n`;
    count++;
    if (text.length < FLUSH) continue;
    writeSync(output, text);
    text = '';
  }
  writeSync(output, text);
  closeSync(output);
  return count;
}

function timeText(time: ReportRow[number]): string {
  return time instanceof Date ? `${time.toISOString().slice(0, 19)}Z` : '';
}

function writeParquet(path: string, lines: Iterable<ReportRow>): number {
  const columns = FIELDS.map((field) => ({ ...field, nullable: true, data: [] as ReportRow[number][] }));
  const writer = new ParquetWriter({ writer: fileWriter(path), schema: schemaFromColumnData({ columnData: columns }) });
  let count = 0;
  let held = 0;
  const flush = () => {
    if (held > 0) void writer.write({ columnData: columns, rowGroupSize: GROUP_ROWS });
    for (const column of columns) column.data = [];
    count += held;
    held = 0;
  };
  for (const row of lines) {
    for (const [at, column] of columns.entries()) column.data.push(row[at]);
    if (++held === GROUP_ROWS) flush();
  }
  flush();
  void writer.finish();
  return count;
}
