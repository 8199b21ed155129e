import { sql } from 'kysely';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';

/** Where in a chunk the next record is: after the last whole block (`offset`, bytes), and `index` records into the block that starts there. */
export interface ShardPosition {
  readonly chunk: string;
  readonly offset: number;
  readonly index: number;
}

/** How far an account's feed is applied. */
export interface FeedCursor {
  /** Path of the segment's manifest. */
  readonly segment: string;
  /** By the shard's path prefix. */
  readonly shards: Readonly<Record<string, ShardPosition>>;
  /** Moves by one with every move of the cursor; the first is 1. */
  readonly version: number;
}

/** @returns undefined where the feed has never been read. */
export async function readCursor(on: Queryable, accountId: number): Promise<FeedCursor | undefined> {
  const { rows } = await sql<{ version: number; cursor: Omit<FeedCursor, 'version'> }>`
    select version, cursor from feed_cursors where account_id = ${accountId}`.execute(on);
  const row = rows[0];
  return row === undefined ? undefined : { ...row.cursor, version: row.version };
}

/**
 * Moves the cursor where it still is `from`, by its version (invariant 3). `lost`: another attempt was faster;
 * the caller rolls back. The version that is stored is `from.version + 1`, or 1, whatever `to` says.
 */
export async function moveCursor(
  tx: Tx,
  accountId: number,
  from: FeedCursor | undefined,
  to: FeedCursor,
): Promise<'moved' | 'lost'> {
  const version = from?.version ?? 0;
  const cursor = JSON.stringify({ segment: to.segment, shards: to.shards });
  const { numAffectedRows } = await (from === undefined
    ? sql`
        insert into feed_cursors (account_id, version, cursor, moved_at)
        values (${accountId}, 1, ${cursor}::jsonb, ${serverNow})
        on conflict do nothing`
    : sql`
        update feed_cursors set version = ${version + 1}, cursor = ${cursor}::jsonb, moved_at = ${serverNow}
        where account_id = ${accountId} and version = ${version}`
  ).execute(tx);
  return numAffectedRows === 1n ? 'moved' : 'lost';
}

/** Forgets how far the feed is applied: it is read again from its beginning. */
export async function forgetCursor(on: Queryable, accountId: number): Promise<void> {
  await on.deleteFrom('feed_cursors').where('account_id', '=', accountId).execute();
}
