import { type RawBuilder, sql } from 'kysely';
import type { Entry } from '../../namespace/entry.ts';
import type { Tx } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { type PageColumn, pageRelation } from './page-columns.ts';
import { KEY_COLUMNS, type PageRow } from './page-rows.ts';
import { storableText } from './storable.ts';
import type { MeetPolicy } from './upsert-page.ts';

/** A row of the page that `upsertPage` has not settled, with the entry that it meets; none where a marker holds its place. */
export interface LeftRow {
  /** Its place in the page. */
  readonly at: number;
  readonly entry: Entry | undefined;
}

/**
 * Reads what `upsertPage` left: rows that ask, and rows that met an entry which neither took them nor plainly
 * supersedes them. A row that was taken has the entry's own clock, and so counts as settled. Their rows are
 * locked already, so what is read stays true until the transaction ends.
 */
export async function readLeft(
  tx: Tx,
  accountId: number,
  rows: readonly PageRow[],
  policy: MeetPolicy,
): Promise<readonly LeftRow[]> {
  if (rows.length === 0) return [];
  const { rows: left } = await sql<EntryColumns & { readonly ord: number }>`
    select x.ord, ${sql.raw(ENTRY_COLUMNS)}
    from ${pageRelation(rows, [...clocks, lookId])} ${entryOfKey(accountId, 'join')}
    where case
      when x.revision = 0 then true
      when x.look is not null then not (e.revision = 1 and e.look = x.look and e.event_id = x.event_id)
      else (${superseded(policy)}) is not true
    end
    order by x.ord`.execute(tx);
  return left.map((row) => {
    const at = row.ord - 1;
    const container = rows[at]?.entry.container ?? '';
    return { at, entry: row.revision === 0 ? undefined : entryOf(container, row) };
  });
}

/**
 * Which rows of the page, by their place, an entry does not plainly supersede. Nothing is locked: what is
 * superseded once stays so, since clocks only rise and a purge waits for the pages that hold the account.
 */
export async function findNews(
  tx: Tx,
  accountId: number,
  rows: readonly PageRow[],
  policy: MeetPolicy,
): Promise<readonly number[]> {
  const { rows: news } = await sql<{ readonly ord: number }>`
    select x.ord
    from ${pageRelation(rows, clocks)} ${entryOfKey(accountId, 'left join')}
    where x.revision = 0 or x.look is not null or (${superseded(policy)}) is not true
    order by x.ord`.execute(tx);
  return news.map((row) => row.ord - 1);
}

/** The page's keys and clocks. */
const clocks: readonly PageColumn<PageRow>[] = [
  ...KEY_COLUMNS,
  { name: 'revision', wire: 'integer', pick: (row) => row.entry.revision },
  { name: 'sequencer', wire: 'bytea', pick: (row) => row.entry.sequencer },
  { name: 'epoch', wire: 'bytea', pick: (row) => row.entry.epoch },
  { name: 'seen', wire: 'bigint', pick: (row) => row.entry.seen },
  { name: 'look', wire: 'bigint', pick: (row) => row.entry.look },
  { name: 'etag', wire: 'text', pick: (row) => row.entry.attributes?.etag },
];

/** Only a look is known again by its id. */
const lookId: PageColumn<PageRow> = {
  name: 'event_id',
  wire: 'text',
  pick: ({ entry }) => (entry.look === undefined ? undefined : storableText(entry.provenance.eventId)),
};

/** The entry of `x`'s key, as `e`. The limit keeps this a search by key for each row, however small the table is thought to be. */
function entryOfKey(accountId: number, join: 'join' | 'left join'): RawBuilder<unknown> {
  return sql`${sql.raw(join)} lateral (
      select * from entries
      where account_id = ${accountId} and container_id = x.container_id and head = x.head
        and tail_hash = x.tail_hash
      limit 1
    ) as e on true`;
}

function superseded(policy: MeetPolicy): RawBuilder<boolean> {
  return policy.looks ? supersededEvent(policy.margin) : supersededRecord;
}

/** Where `meet` says `superseded`. */
function supersededEvent(margin: number): RawBuilder<boolean> {
  return sql`e.sequencer is not null and e.look is null and not e.look_due
      and (x.epoch <> e.epoch) is not true
      and x.sequencer <= e.sequencer
      and x.seen <= e.seen + ${margin}::bigint
      and not (x.sequencer = e.sequencer and x.etag is distinct from e.etag)`;
}

/** Where `decideRecord` calls it superseded. */
const supersededRecord: RawBuilder<boolean> = sql`e.sequencer is not null and
      case when x.epoch <> e.epoch then x.epoch < e.epoch
      else x.sequencer <= e.sequencer end`;
