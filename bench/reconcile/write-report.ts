import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { endpointOn } from '../../infra/local/storage/account.ts';
import { wholeSeconds } from '../../infra/local/storage/events/inventory-event.ts';
import { manifestHead } from '../../infra/local/storage/inventory/inventory-run.ts';
import { runPart } from '../child.ts';
import type { Lake } from './lake.ts';
import type { ReportFileArgument, WrittenFile } from './report-file.process.ts';
import { FIELDS } from './report-rows.ts';

export type ReportFormat = 'csv' | 'parquet';

export interface WrittenReport {
  readonly bytes: number;
  readonly files: number;
  /** Rows that it lists. */
  readonly rows: number;
}

export const REPORTS = 'inventory';
const RULE = 'daily';
/** How long the report took to be written, by its own word. */
const WRITTEN_IN_MS = 1_800_000;
const AT_ONCE = 2;

/** Writes one report of the lake as Azure does, into the folder of its container: data files, manifest, checksum. */
export async function writeReport(
  folder: string,
  of: { readonly lake: Lake; readonly format: ReportFormat; readonly fileRows: number },
  signal: AbortSignal,
): Promise<WrittenReport> {
  const { lake, format, fileRows } = of;
  const started = new Date(lake.from);
  const [day = '', time = ''] = started.toISOString().split('T');
  const prefix = `${day.replaceAll('-', '/')}/${time.slice(0, 8).replaceAll(':', '-')}/${RULE}`;
  const place = (blob: string) => join(folder, REPORTS, blob);
  await mkdir(dirname(place(`${prefix}/x`)), { recursive: true });

  const count = Math.ceil(lake.rows / fileRows);
  const files = Array.from({ length: count }, (_, at) => `${prefix}/${RULE}_1000000_${at}.${format}`);
  const written: WrittenFile[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const at = next++;
      const [from, to] = [at * fileRows, Math.min(lake.rows, (at + 1) * fileRows)];
      const argument: ReportFileArgument = { lake, format, from, to, file: place(files[at] ?? '') };
      written[at] = await runPart<WrittenFile>('reconcile/report-file', argument, signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));

  const sum = (pick: (file: WrittenFile) => number) => written.reduce((all, file) => all + pick(file), 0);
  const manifest = JSON.stringify({
    ...manifestHead({
      ...{ container: REPORTS, rule: RULE, format, endpoint: endpointOn(1), started },
      fields: FIELDS.map(({ name }) => name),
    }),
    files: files.map((blob, at) => ({ blob, size: written[at]?.bytes })),
    inventoryCompletionTime: wholeSeconds(new Date(lake.from + WRITTEN_IN_MS)),
    status: 'Succeeded',
    summary: { objectCount: sum(({ rows }) => rows), totalObjectSize: 0 },
  });
  await writeFile(place(`${prefix}/${RULE}-manifest.json`), manifest);
  const checksum = createHash('md5').update(manifest).digest('hex').toUpperCase();
  await writeFile(place(`${prefix}/${RULE}-manifest.checksum`), checksum);
  return { bytes: sum(({ bytes }) => bytes), files: count, rows: sum(({ rows }) => rows) };
}
