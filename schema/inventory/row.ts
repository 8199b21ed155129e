import type { Attributes, BlobType, Timestamp } from '../../namespace/entry.ts';
import { type Key, parseKey } from '../../namespace/key.ts';

/**
 * One row of a report, told apart: only `base` rows are blobs as readers see them. A `folder` is a directory
 * of an account with a hierarchical namespace, a `deleted` row a blob that soft delete still keeps.
 */
export interface InventoryRow extends Key {
  readonly kind: 'base' | 'snapshot' | 'version' | 'deleted' | 'folder';
  /** Absent where the rule does not ask for the column. */
  readonly etag: string | undefined;
  readonly length: number | undefined;
  readonly lastModified: Timestamp | undefined;
  readonly blobType: BlobType | undefined;
  readonly contentType: string | undefined;
  readonly md5: string | undefined;
  readonly tier: string | undefined;
  readonly metadata: Attributes['metadata'];
}

/** The value of a cell as its file format gives it: text from CSV; text, numbers, dates and bytes from Parquet. */
export type Cell = string | number | bigint | boolean | Date | Uint8Array | null | undefined;

/** Columns that mean something here; a report may have others, in any order and case. */
const COLUMNS = {
  name: 'name',
  etag: 'etag',
  contentlength: 'length',
  lastmodified: 'lastModified',
  blobtype: 'blobType',
  contenttype: 'contentType',
  contentmd5: 'md5',
  accesstier: 'tier',
  metadata: 'metadata',
  snapshot: 'snapshot',
  versionid: 'versionId',
  iscurrentversion: 'isCurrentVersion',
  deleted: 'deleted',
  hdiisfolder: 'folder',
} as const;

type Column = (typeof COLUMNS)[keyof typeof COLUMNS];

/** Where the known columns of one file stand. */
export type Header = ReadonlyMap<Column, number>;

/**
 * Finds the columns in a header, whatever their order, case and punctuation (Azure's own documents write
 * `Etag`, `ETag`, `Content-MD5`, `Content-Md5`).
 *
 * @throws Error where there is no `Name` or a column comes twice: such a file says nothing reliable.
 */
export function readHeader(names: readonly string[]): Header {
  const header = new Map<Column, number>();
  for (const [at, name] of names.entries()) {
    const column = columnOf(name);
    if (column === undefined) continue;
    if (header.has(column)) throw new Error(`column ${name} comes twice`);
    header.set(column, at);
  }
  if (!header.has('name')) throw new Error(`no Name column among ${names.join(', ')}`);
  return header;
}

/** Whether a column of this name is read at all. */
export function isKnownColumn(name: string): boolean {
  return columnOf(name) !== undefined;
}

/** What a column of this name is read as; undefined where it is not read. */
export function columnOf(name: string): Column | undefined {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return Object.hasOwn(COLUMNS, plain) ? COLUMNS[plain as keyof typeof COLUMNS] : undefined;
}

/** @throws Error where the row has no `container/name` or a length that is no number: the file cannot be trusted. */
export function readRow(header: Header, cells: readonly Cell[]): InventoryRow {
  const cell = (column: Column): Cell => {
    const at = header.get(column);
    return at === undefined ? undefined : cells[at];
  };
  const name = textOf(cell('name'));
  const key = parseKey(name ?? '');
  if (key.container === '' || key.name === '') throw new Error(`not a container/name: ${JSON.stringify(name)}`);
  return {
    ...key,
    kind: kindOf(cell),
    etag: textOf(cell('etag'))?.replace(/^"|"$/g, ''),
    length: lengthOf(cell('length')),
    lastModified: timeOf(cell('lastModified')),
    blobType: blobTypeOf(textOf(cell('blobType'))),
    contentType: textOf(cell('contentType')),
    md5: textOf(cell('md5')),
    tier: textOf(cell('tier')),
    metadata: metadataOf(textOf(cell('metadata'))),
  };
}

function kindOf(cell: (column: Column) => Cell): InventoryRow['kind'] {
  if (isTrue(cell('deleted'))) return 'deleted';
  if (isTrue(cell('folder'))) return 'folder';
  if (textOf(cell('snapshot')) !== undefined) return 'snapshot';
  // A blob from before versioning has no version id and is current; a column that is absent says nothing.
  const current = cell('isCurrentVersion');
  const versioned = textOf(cell('versionId')) !== undefined;
  if (versioned && textOf(current) !== undefined && !isTrue(current)) return 'version';
  return 'base';
}

/** Empty text is how CSV writes nothing. */
function textOf(cell: Cell): string | undefined {
  if (cell === undefined || cell === null || cell === '') return undefined;
  return cell instanceof Uint8Array ? new TextDecoder().decode(cell) : String(cell);
}

function isTrue(cell: Cell): boolean {
  return cell === true || textOf(cell)?.toLowerCase() === 'true';
}

function lengthOf(cell: Cell): number | undefined {
  const text = textOf(cell);
  if (text === undefined) return undefined;
  const length = Number(text);
  if (!Number.isSafeInteger(length) || length < 0) throw new Error(`Content-Length is no length: ${text}`);
  return length;
}

function timeOf(cell: Cell): Timestamp | undefined {
  if (cell instanceof Date) return cell.getTime();
  if (typeof cell === 'number' || typeof cell === 'bigint') return Number(cell);
  const text = textOf(cell);
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

const BLOB_TYPES: readonly BlobType[] = ['BlockBlob', 'AppendBlob', 'PageBlob'];

/** @returns undefined for a type not known, in any case of its letters. */
export function blobTypeOf(text: string | undefined): BlobType | undefined {
  return BLOB_TYPES.find((type) => type.toLowerCase() === text?.toLowerCase());
}

/** Azure does not document how metadata is printed; a JSON object of texts is read, anything else is not told. */
function metadataOf(text: string | undefined): Attributes['metadata'] {
  if (text === undefined || !text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const pairs = Object.entries(value);
    return pairs.every(([, each]) => typeof each === 'string') ? Object.fromEntries(pairs) : undefined;
  } catch {
    return undefined;
  }
}
