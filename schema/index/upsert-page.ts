import { type RawBuilder, sql } from 'kysely';
import { serverNow } from './clock.ts';
import type { Tx } from './database.ts';
import { STATE_COLUMNS, storedColumn } from './entry-row.ts';
import { keyArrays, type PageRow } from './page-rows.ts';

/** How a routine event is held against an entry: `margin` is M of the clock rules; without looks only epoch and sequencer count. */
export interface MeetPolicy {
  readonly margin: number;
  readonly looks: boolean;
}

const columns = STATE_COLUMNS.map((spec) => spec.column).join(', ');
const selected = STATE_COLUMNS.map((spec) => storedColumn(spec)).join(', ');
const overwritten = STATE_COLUMNS.map(({ column }) => `${column} = excluded.${column}`).join(', ');

/**
 * The one statement that applies a page: rows in key order are inserted, or put over an older entry, or left alone;
 * whichever it is, their row is locked when it returns.
 *
 * Its condition must never take what `decide` would not apply. It may leave what `decide` would: that is read
 * by `readLeft` and decided one by one.
 *
 * @returns how many changes were applied: the revisions of what was inserted and one for each entry overwritten.
 */
export async function upsertPage(
  tx: Tx,
  accountId: number,
  rows: readonly PageRow[],
  policy: MeetPolicy,
): Promise<number> {
  if (rows.length === 0) return 0;
  const keys = keyArrays(rows);
  const entries = rows.map((row) => row.entry);
  const state = sql.join(STATE_COLUMNS.map((spec) => sql`${spec.encode(entries)}::${sql.raw(spec.sent)}[]`));
  const revisions = `{${entries.map((entry) => entry.revision).join()}}`;
  const sinks = `{${rows.map((row) => row.sinkId ?? 'NULL').join()}}`;
  const upsert = sql`
    insert into entries as e
      (account_id, container_id, head, tail, tail_hash, revision, sink_id, ${sql.raw(columns)},
       changed_at, stub_at, stub_due)
    select
      ${accountId}::int, x.container_id, x.head, x.tail, decode(x.tail_hash, 'hex'), x.revision, x.sink_id,
      ${sql.raw(selected)}, n.now, n.now, x.live and x.sink_id is not null
    from (select ${serverNow} as now offset 0) as n, unnest(
      ${keys.containers}::int[], ${keys.heads}::text[], ${keys.tails}::text[], ${keys.hashes}::text[],
      ${revisions}::int[], ${sinks}::smallint[], ${state}
    ) as x (container_id, head, tail, tail_hash, revision, sink_id, ${sql.raw(columns)})
    on conflict (account_id, container_id, head, tail_hash) do update set
      ${sql.raw(overwritten)},
      revision = e.revision + 1,
      changed_at = excluded.changed_at,
      sink_id = excluded.sink_id,
      stub_due = excluded.sink_id is not null and (e.stub_due or e.live or excluded.live),
      stub_at = case when e.live or excluded.live then excluded.stub_at else e.stub_at end,
      stub_tries = case when e.live or excluded.live then 0 else e.stub_tries end
    where excluded.revision = 1 and excluded.look is null
      and e.sequencer is not null and e.look is null and not e.look_due
      and (excluded.etag = e.etag) is not true
      and ${policy.looks ? newerEvent(policy.margin) : newerRecord}`;

  // Where every row is one change, the count of rows is the answer, and returning them would cost a tenth.
  if (entries.every((entry) => entry.revision === 1)) {
    const { numAffectedRows } = await upsert.execute(tx);
    return Number(numAffectedRows ?? 0n);
  }
  const several = rows.filter((row) => row.entry.revision > 1);
  const severalKeys = keyArrays(several);
  const { rows: counted } = await sql<{ applied: number }>`
    with taken as (${upsert} returning e.container_id, e.head, e.tail_hash, e.revision)
    select coalesce(sum(coalesce(several.revision, least(taken.revision, 1))), 0)::bigint as applied
    from taken left join unnest(
      ${severalKeys.containers}::int[], ${severalKeys.heads}::text[], ${severalKeys.hashes}::text[],
      ${`{${several.map((row) => row.entry.revision).join()}}`}::bigint[]
    ) as several (container_id, head, tail_hash, revision)
      on taken.container_id = several.container_id and taken.head = several.head
      and taken.tail_hash = decode(several.tail_hash, 'hex')`.execute(tx);
  return counted[0]?.applied ?? 0;
}

/** Where `meet` says `apply`, for one event and a plain entry. */
function newerEvent(margin: number): RawBuilder<boolean> {
  return sql`excluded.sequencer > e.sequencer
      and excluded.seen >= e.seen - ${margin}::bigint
      and (excluded.epoch <> e.epoch) is not true`;
}

/** Where `decideRecord` applies: the epoch decides where both sides have one and they differ, else the sequencer. */
const newerRecord: RawBuilder<boolean> = sql`
      case when excluded.epoch <> e.epoch then excluded.epoch > e.epoch else excluded.sequencer > e.sequencer end`;
