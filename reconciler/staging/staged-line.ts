import { storedName } from '../../schema/index/names.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';
import { copyText } from './copy-rows.ts';

/** A name that the judge listed. */
export interface StagedRow extends Omit<Partial<InventoryRow>, 'container' | 'kind'> {
  readonly containerId: number;
  readonly name: string;
  /** The server's time of the page of List Blobs that names it; rows of a report have none. */
  readonly listedAt?: number | undefined;
}

/** The columns of `listed` and of `differing`, and of `stagedLine`; those of one width first, so that nothing is padded. */
export const LISTED_COLUMNS = [
  ...['length', 'last_modified', 'listed_at', 'part', 'account_id', 'container_id', 'blob_type'],
  ...['head', 'tail', 'tail_hash', 'etag', 'content_type', 'md5', 'tier', 'metadata'],
] as const;

/** A row of `listed` in COPY's text format (Postgres documentation, `COPY`, "Text Format"). */
export function stagedLine(row: StagedRow, of: { readonly part: number; readonly accountId: number }): string {
  const { head, tail, tailHash } = storedName(row.name);
  const metadata = row.metadata === undefined ? '\\N' : copyText(JSON.stringify(row.metadata));
  return (
    `${row.length ?? '\\N'}\t${row.lastModified ?? '\\N'}\t${row.listedAt ?? '\\N'}\t${of.part}\t${of.accountId}\t` +
    `${row.containerId}\t${row.blobType ?? '\\N'}\t${copyText(head)}\t${copyText(tail)}\t\\\\x${tailHash}\t` +
    `${text(row.etag)}\t${text(row.contentType)}\t${text(row.md5)}\t${text(row.tier)}\t${metadata}\n`
  );
}

function text(value: string | undefined): string {
  return value === undefined ? '\\N' : copyText(value);
}
