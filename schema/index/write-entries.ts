import { sql } from 'kysely';
import { sameAttributes } from '../../namespace/attributes.ts';
import type { ContainerState } from '../../namespace/container.ts';
import type { Entry } from '../../namespace/entry.ts';
import { lifeOf } from '../../namespace/liveness.ts';
import { serverNow } from './clock.ts';
import type { Tx } from './database.ts';
import { STATE_NAMES, STATE_OVERWRITTEN, STATE_SELECTED, stateColumns } from './entry-row.ts';
import { type PageColumn, pageRelation } from './page-columns.ts';
import { KEY_COLUMNS, keyArrays, type PageKey, TAIL_COLUMN } from './page-rows.ts';
import { searchByKey } from './transact.ts';

/** An entry as it is to be written over the row that this transaction has locked. */
export interface EntryChange extends PageKey {
  readonly before: Entry | undefined;
  readonly next: Entry;
  readonly container: ContainerState;
  /** Undefined: it keeps the one that it has. */
  readonly sinkId: number | undefined;
}

/**
 * Writes entries over rows that are locked, in one statement: each of them is there, so each conflicts, and no
 * plan can go wrong. A change that a stub shows makes it due.
 */
export async function writeEntries(
  tx: Tx,
  accountId: number,
  changes: readonly EntryChange[],
  margin: number,
): Promise<void> {
  if (changes.length === 0) return;
  const columns: readonly PageColumn<EntryChange>[] = [
    ...KEY_COLUMNS,
    TAIL_COLUMN,
    { name: 'revision', wire: 'bigint', pick: (change) => change.next.revision },
    { name: 'sink_id', wire: 'smallint', pick: (change) => change.sinkId },
    { name: 'visible', wire: 'boolean', pick: (change) => isVisible(change, margin) },
    ...stateColumns((change: EntryChange) => change.next),
  ];
  await sql`
    insert into entries as e
      (account_id, container_id, head, tail, tail_hash, revision, sink_id, ${sql.raw(STATE_NAMES)},
       changed_at, tombstone_at, stub_at, stub_due)
    select
      ${accountId}::int, x.container_id, x.head, x.tail, x.tail_hash, x.revision, x.sink_id,
      ${sql.raw(STATE_SELECTED)}, n.now, case when not x.live then n.now end, n.now, x.visible
    from (select ${serverNow} as now offset 0) as n, ${pageRelation(changes, columns)}
    on conflict (account_id, container_id, head, tail_hash) do update set
      ${sql.raw(STATE_OVERWRITTEN)},
      revision = excluded.revision,
      changed_at = excluded.changed_at,
      tombstone_at = excluded.tombstone_at,
      sink_id = coalesce(excluded.sink_id, e.sink_id),
      stub_due = e.stub_due or (excluded.stub_due and coalesce(excluded.sink_id, e.sink_id) is not null),
      stub_at = case
        when not excluded.stub_due then e.stub_at
        when e.stub_due then least(e.stub_at, excluded.stub_at)
        else excluded.stub_at
      end,
      stub_tries = case when excluded.stub_due then 0 else e.stub_tries end`.execute(tx);
}

/** Takes markers away whose keys got no entry. */
export async function removeMarkers(tx: Tx, accountId: number, markers: readonly PageKey[]): Promise<void> {
  if (markers.length === 0) return;
  const keys = keyArrays(markers);
  const removed = sql`
    delete from entries as e
    using unnest(${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[])
      as x (container_id, head, tail_hash)
    where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex') and e.revision = 0`;
  await searchByKey(tx, () => removed.execute(tx));
}

/** Whether a stub of the entry as it was would now be wrong. One of a dead incarnation may be gone already. */
function isVisible({ before, next, container }: EntryChange, margin: number): boolean {
  const wasLive = before?.live === true;
  if (!next.live || next.attributes === undefined) return wasLive;
  if (!wasLive || before.attributes === undefined) return true;
  return !sameAttributes(before.attributes, next.attributes) || lifeOf(before, container, margin) !== 'alive';
}
