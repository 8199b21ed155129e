import { type RawBuilder, sql } from 'kysely';
import { serverNow } from './clock.ts';
import type { Tx } from './database.ts';
import { STATE_NAMES, STATE_OVERWRITTEN, STATE_SELECTED, stateColumns } from './entry-row.ts';
import { believed, type MeetPolicy, toldByBoth } from './meet-policy.ts';
import { type PageColumn, pageRelation } from './page-columns.ts';
import { KEY_COLUMNS, type PageRow, TAIL_COLUMN } from './page-rows.ts';

const columns: readonly PageColumn<PageRow>[] = [
  ...KEY_COLUMNS,
  TAIL_COLUMN,
  { name: 'revision', wire: 'bigint', pick: (row) => row.entry.revision },
  { name: 'sink_id', wire: 'smallint', pick: (row) => row.sinkId },
  ...stateColumns((row: PageRow) => row.entry),
];

/**
 * The one statement that applies a page: rows in key order are inserted, or put over an older entry, or left alone;
 * whichever it is, their row is locked when it returns.
 *
 * Its condition must never take what `decide` would not apply. It may leave what `decide` would: that is read
 * by `readLeft` and decided one by one.
 *
 * @returns how many changes were applied: the revisions of the rows that were taken.
 */
export async function upsertPage(
  tx: Tx,
  accountId: number,
  rows: readonly PageRow[],
  policy: MeetPolicy,
): Promise<number> {
  if (rows.length === 0) return 0;
  const several = severalOf(rows);
  const single = sql`excluded.revision = 1 and ${policy.looks ? newerEvent(policy.margin) : newerRecord}`;
  const newer =
    several === undefined || !policy.looks || policy.compares
      ? single
      : sql`case when excluded.revision = 1 then ${single} else ${newerEvents(several, policy.margin)} end`;
  const upsert = sql`
    insert into entries as e
      (account_id, container_id, head, tail, tail_hash, revision, sink_id, ${sql.raw(STATE_NAMES)},
       changed_at, tombstone_at, stub_at, stub_due)
    select
      ${accountId}::int, x.container_id, x.head, x.tail, x.tail_hash, x.revision, x.sink_id,
      ${sql.raw(STATE_SELECTED)}, n.now, case when not x.live then n.now end, n.now, x.live and x.sink_id is not null
    from (select ${serverNow} as now offset 0) as n, ${pageRelation(rows, columns)}
    on conflict (account_id, container_id, head, tail_hash) do update set
      ${sql.raw(STATE_OVERWRITTEN)},
      revision = e.revision + excluded.revision,
      changed_at = excluded.changed_at,
      tombstone_at = excluded.tombstone_at,
      sink_id = excluded.sink_id,
      stub_due = excluded.sink_id is not null and (e.stub_due or e.live or excluded.live),
      stub_at = case
        when not (e.live or excluded.live) then e.stub_at
        when e.stub_due then least(e.stub_at, excluded.stub_at)
        else excluded.stub_at
      end,
      stub_tries = case when e.live or excluded.live then 0 else e.stub_tries end
    where excluded.look is null
      and e.sequencer is not null and e.look is null and not e.look_due
      and (excluded.etag = e.etag) is not true
      and ${believed(policy)} and ${policy.compares ? sql`not ${toldByBoth('excluded', 'event_id')}` : sql`true`}
      and ${newer}`;

  // Where every row is one change, the count of rows is the answer.
  if (several === undefined) {
    const { numAffectedRows } = await upsert.execute(tx);
    return Number(numAffectedRows ?? 0n);
  }
  const { rows: counted } = await sql<{ applied: number }>`
    with taken as (
      ${upsert}
      returning case when e.revision > 1 then coalesce((${several} -> ${keyText('e')} ->> 2)::bigint, 1) else e.revision end
        as changes
    )
    select coalesce(sum(changes), 0)::bigint as applied from taken`.execute(tx);
  return counted[0]?.applied ?? 0;
}

/**
 * What the rows know that are not one change, by their key: the sequencer and the time of their oldest event, and how
 * many changes they are. Undefined where every row is one.
 */
function severalOf(rows: readonly PageRow[]): RawBuilder<unknown> | undefined {
  const several = rows.filter(({ entry }) => entry.revision !== 1);
  if (several.length === 0) return undefined;
  const known = several.map(({ containerId, name, oldest, entry }) => [
    `${containerId}/${name.head}/${name.tailHash}`,
    [oldest?.sequencer, oldest?.time, entry.revision],
  ]);
  return sql`${JSON.stringify(Object.fromEntries(known))}::jsonb`;
}

function keyText(row: 'e' | 'excluded'): RawBuilder<string> {
  return sql.raw(`(${row}.container_id || '/' || ${row}.head || '/' || encode(${row}.tail_hash, 'hex'))`);
}

/** Where `meet` says `apply`, for one event and a plain entry. */
function newerEvent(margin: number): RawBuilder<boolean> {
  return sql`excluded.sequencer > e.sequencer
      and excluded.seen >= e.seen - ${margin}::bigint
      and (excluded.epoch <> e.epoch) is not true`;
}

/** The same for several events, of which the row carries the newest. */
function newerEvents(several: RawBuilder<unknown>, margin: number): RawBuilder<boolean> {
  const oldest = sql`${several} -> ${keyText('excluded')}`;
  return sql`decode(${oldest} ->> 0, 'hex') > e.sequencer
      and (${oldest} ->> 1)::bigint >= e.seen - ${margin}::bigint
      and (excluded.epoch <> e.epoch) is not true`;
}

/** Where `decideRecord` applies: the epoch decides where both sides have one and they differ, else the sequencer. */
const newerRecord: RawBuilder<boolean> = sql`
      case when excluded.epoch <> e.epoch then excluded.epoch > e.epoch else excluded.sequencer > e.sequencer end`;
