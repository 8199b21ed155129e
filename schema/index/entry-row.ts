import type { Attributes, BlobType, Entry, Source } from '../../namespace/entry.ts';
import type { Epoch } from '../../namespace/epoch.ts';
import type { Sequencer } from '../../namespace/sequencer.ts';
import { plainArray, textArray } from './arrays.ts';
import { storableJson, storableText } from './storable.ts';

/** The columns that hold an `Entry`, as a query reads them; the container's name comes from elsewhere. */
export interface EntryColumns {
  readonly head: string;
  readonly tail: string;
  readonly live: boolean;
  readonly etag: string | null;
  readonly length: number | null;
  readonly blob_type: BlobType | null;
  readonly content_type: string | null;
  readonly md5: string | null;
  readonly last_modified: number | null;
  readonly tier: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly sequencer: Buffer | null;
  readonly epoch: Buffer | null;
  readonly seen: number;
  readonly look: number | null;
  readonly look_due: boolean;
  readonly revision: number;
  readonly source: Source;
  readonly event_id: string;
  readonly event_time: number;
  readonly rule_revision: number;
}

/** The same, for a select list. */
export const ENTRY_COLUMNS = `e.head, e.tail, e.live, e.etag, e.length, e.blob_type, e.content_type, e.md5,
  e.last_modified, e.tier, e.metadata, e.sequencer, e.epoch, e.seen, e.look, e.look_due, e.revision, e.source,
  e.event_id, e.event_time, e.rule_revision`;

/** Reads an entry out of its row. */
export function entryOf(container: string, row: EntryColumns): Entry {
  return {
    container,
    name: row.head + row.tail,
    live: row.live,
    attributes: attributesOf(row),
    sequencer: hexOf<Sequencer>(row.sequencer),
    epoch: hexOf<Epoch>(row.epoch),
    seen: row.seen,
    look: row.look ?? undefined,
    lookDue: row.look_due,
    revision: row.revision,
    provenance: {
      source: row.source,
      eventId: row.event_id,
      time: row.event_time,
      ruleRevision: row.rule_revision,
    },
  };
}

type AttributeColumns = Pick<
  EntryColumns,
  'etag' | 'length' | 'blob_type' | 'content_type' | 'md5' | 'last_modified' | 'tier' | 'metadata'
>;

/** The attributes of a row; none for a tombstone. */
export function attributesOf(row: AttributeColumns): Attributes | undefined {
  if (row.etag === null || row.length === null) return undefined;
  return {
    etag: row.etag,
    length: row.length,
    blobType: row.blob_type ?? undefined,
    contentType: row.content_type ?? undefined,
    md5: row.md5 ?? undefined,
    lastModified: row.last_modified ?? undefined,
    tier: row.tier ?? undefined,
    metadata: row.metadata ?? undefined,
  };
}

function hexOf<T extends string>(bytes: Buffer | null): T | undefined {
  return bytes === null ? undefined : (bytes.toString('hex') as T);
}

interface ColumnSpec {
  readonly column: string;
  /** The type of the array that is sent. */
  readonly sent: string;
  /** How a column of the row is made of the sent one, where it is not the same. */
  readonly stored?: string;
  readonly encode: (entries: readonly Entry[]) => string;
}

const told = (pick: (attributes: Attributes) => string | undefined) => (entries: readonly Entry[]) =>
  textArray(entries.map(({ attributes }) => clean(attributes && pick(attributes))));
const plain = (pick: (entry: Entry) => string | number | boolean | undefined) => (entries: readonly Entry[]) =>
  plainArray(entries.map(pick));

function clean(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storableText(text);
}

/** Every column that holds a part of an `Entry`, but its key and its revision. */
export const STATE_COLUMNS: readonly ColumnSpec[] = [
  { column: 'live', sent: 'boolean', encode: plain((entry) => entry.live) },
  { column: 'etag', sent: 'text', encode: told((attributes) => attributes.etag) },
  { column: 'length', sent: 'bigint', encode: plain((entry) => entry.attributes?.length) },
  { column: 'blob_type', sent: 'blob_type', encode: plain((entry) => entry.attributes?.blobType) },
  { column: 'content_type', sent: 'text', encode: told((attributes) => attributes.contentType) },
  { column: 'md5', sent: 'text', encode: told((attributes) => attributes.md5) },
  { column: 'last_modified', sent: 'bigint', encode: plain((entry) => entry.attributes?.lastModified) },
  { column: 'tier', sent: 'text', encode: told((attributes) => attributes.tier) },
  {
    column: 'metadata',
    sent: 'text',
    stored: 'x.metadata::jsonb',
    encode: told((attributes) => attributes.metadata && storableJson(attributes.metadata)),
  },
  {
    column: 'sequencer',
    sent: 'text',
    stored: `decode(x.sequencer, 'hex')`,
    encode: plain((entry) => entry.sequencer),
  },
  { column: 'epoch', sent: 'text', stored: `decode(x.epoch, 'hex')`, encode: plain((entry) => entry.epoch) },
  { column: 'seen', sent: 'bigint', encode: plain((entry) => entry.seen) },
  { column: 'look', sent: 'bigint', encode: plain((entry) => entry.look) },
  { column: 'look_due', sent: 'boolean', encode: plain((entry) => entry.lookDue) },
  { column: 'source', sent: 'change_source', encode: plain((entry) => entry.provenance.source) },
  {
    column: 'event_id',
    sent: 'text',
    encode: (entries) => textArray(entries.map((entry) => storableText(entry.provenance.eventId))),
  },
  { column: 'event_time', sent: 'bigint', encode: plain((entry) => entry.provenance.time) },
  { column: 'rule_revision', sent: 'integer', encode: plain((entry) => entry.provenance.ruleRevision) },
];

/** `column` as the select from the sent arrays (`x`) makes it. */
export function storedColumn(spec: ColumnSpec): string {
  return spec.stored ?? `x.${spec.column}`;
}
