import { sql } from 'kysely';
import type { LookReason } from '../../namespace/decision.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { compareKeys, type Key } from '../../namespace/key.ts';
import { afterWish } from '../../namespace/next-entry.ts';
import { serverNow } from './clock.ts';
import { containerStates, ensureContainers } from './containers.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { marker, type PageRow, pageKey } from './page-rows.ts';
import { type Decided, writeDecided } from './page-writer.ts';
import { readLeft } from './read-left.ts';
import { isStorableKey, storableText } from './storable.ts';
import { transact } from './transact.ts';
import { upsertPage } from './upsert-page.ts';

export interface WantedLook {
  readonly key: Key;
  /** The revision to hand back with the answer, 0 for no entry. */
  readonly entryRevision: number;
  readonly reason: LookReason;
  readonly attempts: number;
}

export interface LookWish {
  readonly accountId: number;
  /** Each once. */
  readonly keys: readonly Key[];
  readonly reason: LookReason;
  readonly ruleRevision: number;
  /** What wants it, for `explain`: a run. */
  readonly eventId: string;
  /** When what wants it was seen: the time of a listing. */
  readonly time?: Timestamp | undefined;
}

/** No event is judged by it: whatever asks is locked and read. */
const READ = { margin: 0, looks: true };

/** Queues a look for each key: moves the entry's revision, or leaves a tombstone that waits for the answer where there is none. @returns how many. */
export async function wantLooks(tx: Tx, wish: LookWish): Promise<number> {
  const { accountId, reason, ruleRevision, eventId } = wish;
  const keys = wish.keys.filter(isStorableKey).toSorted(compareKeys);
  const containers = await ensureContainers(tx, accountId, [...new Set(keys.map((key) => key.container))]);
  const rows: PageRow[] = keys.map((key) => ({
    ...pageKey(containers.get(key.container)?.id ?? 0, key.name),
    entry: marker(key),
    sinkId: undefined,
  }));
  await upsertPage(tx, accountId, rows, READ);
  const decided: Decided[] = [];
  for (const { at, entry: before } of await readLeft(tx, accountId, rows, READ)) {
    const row = rows[at];
    const container = containers.get(row?.entry.container ?? '');
    if (row === undefined || container === undefined) continue;
    const { container: containerName, name } = row.entry;
    const time = wish.time ?? 0;
    const found = { etag: '', length: 0 };
    const change = { kind: 'listed', container: containerName, name, found, from: time, to: time, eventId } as const;
    decided.push({ ...row, before, next: afterWish(before, change, ruleRevision), container, wanted: reason });
  }
  await writeDecided(tx, accountId, decided, READ.margin);
  return decided.length;
}

/** Claims looks that are due, oldest first, skipping those that others hold; they come again after the lease. */
export async function claimLooks(
  index: Index,
  accountId: number,
  limit: number,
  leaseMs: number,
): Promise<readonly WantedLook[]> {
  const claimed = sql<{
    container: string;
    head: string;
    tail: string;
    revision: number | null;
    reason: LookReason;
    attempts: number;
  }>`
    with due as (
      select account_id, container_id, head, tail_hash from looks
      where account_id = ${accountId} and due_at <= ${serverNow}
      order by due_at limit ${limit} for update skip locked
    ), claimed as (
      update looks as q set due_at = ${serverNow} + ${leaseMs}::bigint, attempts = q.attempts + 1
      from due
      where q.account_id = ${accountId} and q.container_id = due.container_id and q.head = due.head
        and q.tail_hash = due.tail_hash
      returning q.container_id, q.head, q.tail, q.tail_hash, q.reason, q.attempts
    )
    select c.name as container, claimed.head, claimed.tail, e.revision, claimed.reason, claimed.attempts
    from claimed
    join containers as c on c.account_id = ${accountId} and c.id = claimed.container_id
    left join entries as e
      on e.account_id = ${accountId} and e.container_id = claimed.container_id and e.head = claimed.head
      and e.tail_hash = claimed.tail_hash`;
  const { rows } = await transact(index, (tx) => claimed.execute(tx), { byKey: true });
  return rows.map((row) => ({
    key: { container: row.container, name: row.head + row.tail },
    entryRevision: row.revision ?? 0,
    reason: row.reason,
    attempts: row.attempts,
  }));
}

/** The look could not be had: asks again later, and keeps why. */
export async function postponeLook(
  index: Index,
  accountId: number,
  look: { readonly key: Key; readonly inMs: number; readonly error: string },
): Promise<void> {
  const containers = await containerStates(index.db, accountId, [look.key.container]);
  const id = containers.get(look.key.container)?.id;
  if (id === undefined) return;
  const { name } = pageKey(id, look.key.name);
  await sql`
    update looks set due_at = ${serverNow} + ${Math.trunc(look.inMs)}::bigint, error = ${storableText(look.error)}
    where account_id = ${accountId} and container_id = ${id} and head = ${name.head}
      and tail_hash = decode(${name.tailHash}, 'hex')`.execute(index.db);
}

/** Looks that wait for an answer, those on their way among them. */
export async function countLooks(on: Queryable, accountId: number): Promise<number> {
  const row = await on
    .selectFrom('looks')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return row.count;
}
