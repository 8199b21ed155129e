import type { Attributes, BlobType, Entry, Source } from '../../namespace/entry.ts';
import type { Epoch } from '../../namespace/epoch.ts';
import type { Sequencer } from '../../namespace/sequencer.ts';
import type { PageColumn } from './page-columns.ts';
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
  const { etag, length } = row;
  return etag === null || length === null ? undefined : { ...knownAttributes(row), etag, length };
}

/** As far as a row knows them. */
export function knownAttributes(row: AttributeColumns) {
  return {
    etag: row.etag ?? undefined,
    length: row.length ?? undefined,
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

interface StateColumn extends PageColumn<Entry> {
  /** How a column of the row is made of the sent one, where it is not the same. */
  readonly stored?: string;
}

const told = (pick: (attributes: Attributes) => string | undefined) => (entry: Entry) =>
  clean(entry.attributes && pick(entry.attributes));

function clean(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storableText(text);
}

/** Every column that holds a part of an `Entry`, but its key and its revision. */
const STATE_COLUMNS: readonly StateColumn[] = [
  { name: 'live', wire: 'boolean', pick: (entry) => entry.live },
  { name: 'etag', wire: 'text', pick: told((attributes) => attributes.etag) },
  { name: 'length', wire: 'bigint', pick: (entry) => entry.attributes?.length },
  { name: 'blob_type', wire: 'text', stored: 'x.blob_type::blob_type', pick: (entry) => entry.attributes?.blobType },
  { name: 'content_type', wire: 'text', pick: told((attributes) => attributes.contentType) },
  { name: 'md5', wire: 'text', pick: told((attributes) => attributes.md5) },
  { name: 'last_modified', wire: 'bigint', pick: (entry) => entry.attributes?.lastModified },
  { name: 'tier', wire: 'text', pick: told((attributes) => attributes.tier) },
  {
    name: 'metadata',
    wire: 'text',
    stored: 'x.metadata::jsonb',
    pick: told((attributes) => attributes.metadata && storableJson(attributes.metadata)),
  },
  { name: 'sequencer', wire: 'bytea', pick: (entry) => entry.sequencer },
  { name: 'epoch', wire: 'bytea', pick: (entry) => entry.epoch },
  { name: 'seen', wire: 'bigint', pick: (entry) => entry.seen },
  { name: 'look', wire: 'bigint', pick: (entry) => entry.look },
  { name: 'look_due', wire: 'boolean', pick: (entry) => entry.lookDue },
  { name: 'source', wire: 'text', stored: 'x.source::change_source', pick: (entry) => entry.provenance.source },
  { name: 'event_id', wire: 'text', pick: (entry) => storableText(entry.provenance.eventId) },
  {
    name: 'event_time',
    wire: 'bigint',
    // An event is seen when it happened.
    stored: 'coalesce(x.event_time, x.seen)',
    pick: (entry) => (entry.provenance.time === entry.seen ? undefined : entry.provenance.time),
  },
  { name: 'rule_revision', wire: 'integer', pick: (entry) => entry.provenance.ruleRevision },
];

const stateNames = STATE_COLUMNS.map((column) => column.name);

/** The state columns' names, for an insert. */
export const STATE_NAMES = stateNames.join(', ');

/** The state columns as the select from a page (`x`) makes them. */
export const STATE_SELECTED = STATE_COLUMNS.map(({ name, stored }) => stored ?? `x.${name}`).join(', ');

/** The state columns, put over those of the row in the way. */
export const STATE_OVERWRITTEN = stateNames.map((name) => `${name} = excluded.${name}`).join(', ');

/** The state columns of rows that carry an entry. */
export function stateColumns<Row>(entryOfRow: (row: Row) => Entry): readonly PageColumn<Row>[] {
  return STATE_COLUMNS.map(({ name, wire, pick }) => ({ name, wire, pick: (row) => pick(entryOfRow(row)) }));
}
