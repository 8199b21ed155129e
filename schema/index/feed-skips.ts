import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableText } from './storable.ts';

/** Bytes of a chunk that an operator had left out. */
export interface FeedSkip {
  readonly chunk: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Notes a skip, in the transaction that moves the cursor over it. */
export async function noteSkip(on: Queryable, accountId: number, skip: FeedSkip): Promise<void> {
  await sql`
    insert into feed_skips (account_id, chunk, from_offset, to_offset, reason, skipped_at)
    values (${accountId}, ${skip.chunk}, ${skip.from}, ${skip.to}, ${storableText(skip.reason)}, ${serverNow})`.execute(
    on,
  );
}

/** Newest first. */
export async function readSkips(
  on: Queryable,
  accountId: number,
  limit: number,
): Promise<readonly (FeedSkip & { readonly skippedAt: Timestamp })[]> {
  const rows = await on
    .selectFrom('feed_skips')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ chunk, from_offset, to_offset, reason, skipped_at }) => ({
    ...{ chunk, from: from_offset, to: to_offset, reason, skippedAt: skipped_at },
  }));
}

/** Where the bytes end that were left out with this one; undefined where nobody has left it out. */
export async function endOfSkip(
  on: Queryable,
  accountId: number,
  chunk: string,
  offset: number,
): Promise<number | undefined> {
  const { end } = await on
    .selectFrom('feed_skips')
    .select(({ fn }) => fn.max('to_offset').as('end'))
    .where('account_id', '=', accountId)
    .where('chunk', '=', chunk)
    .where('from_offset', '<=', offset)
    .where('to_offset', '>', offset)
    .executeTakeFirstOrThrow();
  return end ?? undefined;
}
