import { type RawBuilder, sql } from 'kysely';
import type { Entry } from '../../namespace/entry.ts';
import { plainArray, textArray } from './arrays.ts';
import type { Tx } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { keyArrays, type PageRow } from './page-rows.ts';
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
  const keys = keyArrays(rows);
  const entries = rows.map((row) => row.entry);
  const { rows: left } = await sql<EntryColumns & { readonly ord: number }>`
    select x.ord::int as ord, ${sql.raw(ENTRY_COLUMNS)}
    from unnest(
      ${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[],
      ${plainArray(entries.map((entry) => entry.revision))}::int[],
      ${plainArray(entries.map((entry) => entry.sequencer))}::text[],
      ${plainArray(entries.map((entry) => entry.epoch))}::text[],
      ${plainArray(entries.map((entry) => entry.seen))}::bigint[],
      ${plainArray(entries.map((entry) => entry.look))}::bigint[],
      ${textArray(entries.map((entry) => entry.attributes?.etag))}::text[],
      ${textArray(entries.map((entry) => entry.provenance.eventId))}::text[]
    ) with ordinality
      as x (container_id, head, tail_hash, revision, sequencer, epoch, seen, look, etag, event_id, ord)
    join entries as e
      on e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex')
    where case
      when x.revision = 0 then true
      when x.look is not null then not (e.revision = 1 and e.look = x.look and e.event_id = x.event_id)
      else (${policy.looks ? supersededEvent(policy.margin) : supersededRecord}) is not true
    end
    order by x.ord`.execute(tx);
  return left.map((row) => {
    const at = row.ord - 1;
    const container = rows[at]?.entry.container ?? '';
    return { at, entry: row.revision === 0 ? undefined : entryOf(container, row) };
  });
}

/** Where `meet` says `superseded`. */
function supersededEvent(margin: number): RawBuilder<boolean> {
  return sql`e.sequencer is not null and e.look is null and not e.look_due
      and (decode(x.epoch, 'hex') <> e.epoch) is not true
      and decode(x.sequencer, 'hex') <= e.sequencer
      and x.seen <= e.seen + ${margin}::bigint
      and not (decode(x.sequencer, 'hex') = e.sequencer and x.etag is distinct from e.etag)`;
}

/** Where `decideRecord` calls it superseded. */
const supersededRecord: RawBuilder<boolean> = sql`e.sequencer is not null and
      case when decode(x.epoch, 'hex') <> e.epoch then decode(x.epoch, 'hex') < e.epoch
      else decode(x.sequencer, 'hex') <= e.sequencer end`;
