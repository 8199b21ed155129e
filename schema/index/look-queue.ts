import { sql } from 'kysely';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Tx } from './database.ts';
import { keyArrays, type PageKey } from './page-rows.ts';
import { searchByKey } from './transact.ts';

export interface QueuedLook extends PageKey {
  readonly reason: string;
  /** Not to be asked before so many milliseconds have passed. */
  readonly inMs: number;
}

/** Queues looks, in key order. One that was queued before is asked anew: whatever is on its way lost to the moved revision. */
export async function queueLooks(tx: Tx, accountId: number, looks: readonly QueuedLook[]): Promise<void> {
  if (looks.length === 0) return;
  const keys = keyArrays(looks);
  await sql`
    insert into looks (account_id, container_id, head, tail, tail_hash, reason, queued_at, due_at)
    select ${accountId}::int, x.container_id, x.head, x.tail, decode(x.tail_hash, 'hex'), x.reason, n.now,
      n.now + x.in_ms
    from (select ${serverNow} as now offset 0) as n, unnest(
      ${keys.containers}::int[], ${keys.heads}::text[], ${keys.tails}::text[], ${keys.hashes}::text[],
      ${textArray(looks.map((look) => look.reason))}::text[],
      ${plainArray(looks.map((look) => look.inMs))}::bigint[]
    ) as x (container_id, head, tail, tail_hash, reason, in_ms)
    on conflict (account_id, container_id, head, tail_hash) do update set
      reason = excluded.reason, due_at = excluded.due_at, attempts = 0, error = null`.execute(tx);
}

/** Takes looks off the queue: they are answered, or nobody waits for them any more. */
export async function unqueueLooks(tx: Tx, accountId: number, looks: readonly PageKey[]): Promise<void> {
  if (looks.length === 0) return;
  const keys = keyArrays(looks);
  const removed = sql`
    delete from looks as q
    using unnest(${keys.containers}::int[], ${keys.heads}::text[], ${keys.hashes}::text[])
      as x (container_id, head, tail_hash)
    where q.account_id = ${accountId} and q.container_id = x.container_id and q.head = x.head
      and q.tail_hash = decode(x.tail_hash, 'hex')`;
  await searchByKey(tx, () => removed.execute(tx));
}
