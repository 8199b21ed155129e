import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Attributes } from '../../../namespace/entry.ts';
import { formatKey, type Key } from '../../../namespace/key.ts';
import type { FakeBlobs } from './fake-blobs.ts';

export type ReportRow = Key & { readonly attributes: Attributes } & Readonly<Record<string, unknown>>;

export interface ReportOptions {
  readonly format?: 'csv' | 'parquet';
  readonly status?: string;
  readonly filters?: object;
  readonly rows?: readonly ReportRow[];
  /** Rows of each file. */
  readonly rowsPerFile?: number;
  readonly objectCount?: number;
  readonly fields?: readonly string[];
  readonly checksum?: string | false;
  readonly start?: number;
  /** Whose report it says that it is. */
  readonly account?: string;
  readonly objectType?: string;
  /** Does something to a file's bytes before it is stored; the manifest keeps the size that it had, unless it `lies`. */
  readonly damage?: (bytes: Uint8Array) => Uint8Array;
  /** The manifest gives the size that a damaged file has. */
  readonly lies?: boolean;
  /** The manifest names so many of the files. */
  readonly files?: number;
}

const FIELDS = ['Name', 'Last-Modified', 'Etag', 'Content-Length', 'BlobType', 'AccessTier', 'Metadata'];

/** Every blob of the account, as an inventory would read it now. */
export function rowsOf(blobs: FakeBlobs): ReportRow[] {
  return [...blobs.containers]
    .filter(([container]) => container !== 'inventory')
    .flatMap(([container, names]) =>
      [...names].map(([name, { attributes }]): ReportRow => ({ container, name, attributes })),
    );
}

/** Writes an inventory report of the account as it is now into the account. @returns the manifest's `container/path`. */
export function writeReport(blobs: FakeBlobs, options: ReportOptions = {}): string {
  const { format = 'csv', fields = FIELDS, rows = rowsOf(blobs), start = blobs.told } = options;
  const folder = new Date(start).toISOString().slice(0, 19).replace('T', '/').replaceAll('-', '/').replaceAll(':', '-');
  const base = `${folder}/isthmus`;
  const files: object[] = [];
  const perFile = options.rowsPerFile ?? 4;
  for (let at = 0; at === 0 || at < rows.length; at += perFile) {
    const blob = `${base}/isthmus_1000000_${files.length}.${format}`;
    const part = rows.slice(at, at + perFile);
    const bytes = format === 'csv' ? csv(fields, part) : parquet(fields, part);
    const stored = options.damage?.(bytes) ?? bytes;
    files.push({ blob, size: options.lies === true ? stored.length : bytes.length });
    blobs.put('inventory', blob, stored);
  }
  const manifest = JSON.stringify({
    destinationContainer: 'inventory',
    endpoint: `https://${options.account ?? blobs.account}.blob.core.windows.net`,
    files: files.slice(0, options.files),
    inventoryStartTime: new Date(start).toISOString(),
    inventoryCompletionTime: new Date(blobs.told).toISOString(),
    ruleDefinition: {
      ...{ format, objectType: options.objectType ?? 'blob', schedule: 'daily', schemaFields: fields },
      filters: options.filters ?? { blobTypes: ['blockBlob', 'appendBlob', 'pageBlob'] },
    },
    ruleName: 'isthmus',
    status: options.status ?? 'Succeeded',
    summary: { objectCount: options.objectCount ?? rows.length, totalObjectSize: 0 },
    version: '1.0',
  });
  blobs.put('inventory', `${base}/isthmus-manifest.json`, manifest);
  const checksum = options.checksum ?? createHash('md5').update(manifest).digest('hex');
  if (checksum !== false) blobs.put('inventory', `${base}/isthmus-manifest.checksum`, checksum);
  return `inventory/${base}/isthmus-manifest.json`;
}

function cell(field: string, row: ReportRow): unknown {
  const { attributes } = row;
  switch (field.toLowerCase()) {
    case 'name':
      // A row of a report of containers has no more.
      return row.name === '' ? row.container : formatKey(row);
    case 'last-modified':
      return attributes.lastModified === undefined ? '' : new Date(attributes.lastModified).toISOString();
    case 'etag':
      return attributes.etag;
    case 'content-length':
      return String(attributes.length);
    case 'blobtype':
      return attributes.blobType ?? '';
    case 'accesstier':
      return attributes.tier ?? '';
    case 'metadata':
      return attributes.metadata === undefined ? '' : JSON.stringify(attributes.metadata);
    default:
      return Object.entries(row).find(([name]) => name.toLowerCase() === field.toLowerCase())?.[1] ?? '';
  }
}

function csv(fields: readonly string[], rows: readonly ReportRow[]): Uint8Array {
  const records = rows.map((row) => fields.map((field) => cell(field, row)));
  return new TextEncoder().encode(stringify([fields, ...records], { quoted_match: /[\r\n]/ }));
}

function parquet(fields: readonly string[], rows: readonly ReportRow[]): Uint8Array {
  const columnData = fields.map((name) => {
    const data = rows.map((row) => cell(name, row));
    if (name.toLowerCase() === 'content-length') {
      return { name, data: data.map((each) => BigInt(String(each))), type: 'INT64' as const };
    }
    if (name.toLowerCase() === 'last-modified') {
      return { name, data: data.map((each) => new Date(String(each))), type: 'TIMESTAMP' as const };
    }
    return { name, data: data.map(String), type: 'STRING' as const };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 3 }));
}
