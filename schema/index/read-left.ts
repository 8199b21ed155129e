import { type RawBuilder, sql } from 'kysely';
import type { Entry } from '../../namespace/entry.ts';
import { REQUEST_CHARACTERS } from '../../namespace/trust.ts';
import type { Tx } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { believed, type MeetPolicy, toldByBoth } from './meet-policy.ts';
import { type PageColumn, pageRelation } from './page-columns.ts';
import { KEY_COLUMNS, type PageRow } from './page-rows.ts';
import { storableText } from './storable.ts';

/** A row of the page that `upsertPage` has not settled, with the entry that it meets; none where a marker holds its place. */
export interface LeftRow {
  /** Its place in the page. */
  readonly at: number;
  readonly entry: Entry | undefined;
}

/**
 * Reads what `upsertPage` left: rows that ask, and rows that met an entry which neither took them nor plainly
 * supersedes them, or that the other of trigger and feed has made of the same change. A row that was taken has the entry's own clock, and so counts as settled. Their rows are
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
    from ${pageRelation(rows, [...clocksOf(policy), lookId])} ${entryOfKey(accountId, 'join')}
    where case
      when x.revision = 0 then true
      when x.look is not null then not (e.revision = 1 and e.look = x.look and e.event_id = x.event_id)
      else (${superseded(policy)}) is not true ${policy.compares ? sql`or ${toldByBoth('x', 'request')}` : sql``}
    end
    order by x.ord`.execute(tx);
  return left.map((row) => {
    const at = row.ord - 1;
    const container = rows[at]?.entry.container ?? '';
    return { at, entry: row.revision === 0 ? undefined : entryOf(container, row) };
  });
}

/** What of a page is news. */
export interface News {
  /** Places in the page. */
  readonly rows: readonly number[];
  /** Of the others, how many trigger and feed have told of with the same sequencer. */
  readonly agreed: number;
}

/**
 * Which rows of the page an entry does not plainly supersede, those among them of which trigger and feed do not say
 * the same. Nothing is locked: what is superseded once stays so, since clocks only rise and a purge waits for the
 * pages that hold the account.
 *
 * A page of 5,000 records that triggers have all told of costs a tenth more than one of which they have told nothing.
 */
export async function findNews(tx: Tx, accountId: number, rows: readonly PageRow[], policy: MeetPolicy): Promise<News> {
  const both = toldByBoth('x', 'request');
  const compared = sql`
        when x.sequencer <> e.sequencer and ${both} then 'news'
        when x.sequencer = e.sequencer and ${both} then 'agreed'`;
  // The offset keeps Postgres from asking once for each of the aggregates.
  const { rows: found } = await sql<{ readonly news: readonly number[] | null; readonly agreed: number }>`
    select array_agg(met.ord order by met.ord) filter (where met.how = 'news') as news,
      count(*) filter (where met.how = 'agreed') as agreed
    from (
      select x.ord, case
        when x.revision = 0 or x.look is not null or (${superseded(policy)}) is not true then 'news'
        ${policy.compares ? compared : sql``}
      end as how
      from ${pageRelation(rows, clocksOf(policy))} ${entryOfKey(accountId, 'left join')}
      offset 0
    ) as met`.execute(tx);
  return { rows: (found[0]?.news ?? []).map((ord) => ord - 1), agreed: found[0]?.agreed ?? 0 };
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

/** What tells whether row and entry are one change, told by trigger and feed. */
const tellers: readonly PageColumn<PageRow>[] = [
  { name: 'source', wire: 'text', pick: (row) => row.entry.provenance.source },
  { name: 'live', wire: 'boolean', pick: (row) => row.entry.live },
  {
    name: 'request',
    wire: 'text',
    pick: ({ entry }) => storableText(entry.provenance.eventId.slice(0, REQUEST_CHARACTERS)),
  },
];

function clocksOf({ compares }: MeetPolicy): readonly PageColumn<PageRow>[] {
  return compares ? [...clocks, ...tellers] : clocks;
}

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
  return policy.looks ? supersededEvent(policy) : supersededRecord(policy);
}

/** Where `meet` says `superseded`. */
function supersededEvent(policy: MeetPolicy): RawBuilder<boolean> {
  return sql`e.sequencer is not null and e.look is null and not e.look_due and ${believed(policy)}
      and (x.epoch <> e.epoch) is not true
      and x.sequencer <= e.sequencer
      and x.seen <= e.seen + ${policy.margin}::bigint
      and not (x.sequencer = e.sequencer and x.etag is distinct from e.etag)`;
}

/** Where `decideRecord` calls it superseded. */
function supersededRecord(policy: MeetPolicy): RawBuilder<boolean> {
  return sql`e.sequencer is not null and ${believed(policy)} and
      case when x.epoch <> e.epoch then x.epoch < e.epoch
      else x.sequencer <= e.sequencer end`;
}
