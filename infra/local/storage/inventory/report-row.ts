import type { BlobItem } from '@azure/storage-blob';
import { wholeSeconds } from '../events/inventory-event.ts';

/** A field of a report: its name as Azure's, its Parquet type, its value. Undefined is an empty field. */
interface Field {
  readonly name: string;
  readonly type: 'STRING' | 'INT64' | 'TIMESTAMP' | 'BOOLEAN';
  readonly of: (blob: BlobItem, container: string) => string | number | Date | boolean | undefined;
}

/** The fields of the embedded account's rule, in the order of its report. */
export const REPORT_FIELDS: readonly Field[] = [
  { name: 'Name', type: 'STRING', of: ({ name }, container) => `${container}/${name}` },
  { name: 'Creation-Time', type: 'TIMESTAMP', of: ({ properties }) => properties.createdOn },
  { name: 'Last-Modified', type: 'TIMESTAMP', of: ({ properties }) => properties.lastModified },
  { name: 'ETag', type: 'STRING', of: ({ properties }) => properties.etag?.replaceAll('"', '') },
  { name: 'Content-Length', type: 'INT64', of: ({ properties }) => properties.contentLength },
  { name: 'Content-Type', type: 'STRING', of: ({ properties }) => properties.contentType },
  { name: 'Content-Encoding', type: 'STRING', of: ({ properties }) => properties.contentEncoding },
  { name: 'Content-Language', type: 'STRING', of: ({ properties }) => properties.contentLanguage },
  { name: 'Content-MD5', type: 'STRING', of: ({ properties }) => base64(properties.contentMD5) },
  { name: 'Cache-Control', type: 'STRING', of: ({ properties }) => properties.cacheControl },
  { name: 'Content-Disposition', type: 'STRING', of: ({ properties }) => properties.contentDisposition },
  { name: 'BlobType', type: 'STRING', of: ({ properties }) => properties.blobType },
  { name: 'AccessTier', type: 'STRING', of: ({ properties }) => properties.accessTier },
  { name: 'LeaseStatus', type: 'STRING', of: ({ properties }) => properties.leaseStatus },
  { name: 'LeaseState', type: 'STRING', of: ({ properties }) => properties.leaseState },
  { name: 'ServerEncrypted', type: 'BOOLEAN', of: ({ properties }) => properties.serverEncrypted },
  { name: 'Metadata', type: 'STRING', of: ({ metadata }) => nonEmpty(metadata) },
];

export type ReportRow = Readonly<Record<string, string | bigint | Date | boolean | undefined>>;

/** One row in the types of Parquet; `csvValue` prints its values for CSV. */
export function reportRow(blob: BlobItem, container: string): ReportRow {
  return Object.fromEntries(
    REPORT_FIELDS.map(({ name, of }) => {
      const value = of(blob, container);
      return [name, typeof value === 'number' ? BigInt(value) : value];
    }),
  );
}

/** Dates without a fraction, as manifests and the documentation's samples print them; nothing for no value. */
export function csvValue(value: ReportRow[string]): string {
  if (value === undefined) return '';
  return value instanceof Date ? wholeSeconds(value) : String(value);
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : Buffer.from(bytes).toString('base64');
}

function nonEmpty(metadata: Record<string, string> | undefined): string | undefined {
  return metadata === undefined || Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata);
}
