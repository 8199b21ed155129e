import { sql } from 'kysely';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';

/** Where in a shard the next record is: `index` records into the block that begins at `offset`, in bytes, of the chunk. */
export interface ShardPosition {
  readonly chunk: string;
  readonly offset: number;
  readonly index: number;
}

/** How far a shard is applied. */
export interface CursorShard extends ShardPosition {
  /** Moves by one with every page of the shard; the first is 1. */
  readonly version: number;
}

/** How far an account's feed is applied. */
export interface FeedCursor {
  /** Path of the segment's manifest. */
  readonly segment: string;
  /** Moves with the segment and with every rewind, never with a page, and never falls. */
  readonly version: number;
  /** By the shard's path prefix; none where nothing of a shard has been applied. */
  readonly shards: Readonly<Record<string, CursorShard>>;
}

/** @returns undefined where the feed has never been read, or is to be read from its beginning. */
export async function readCursor(on: Queryable, accountId: number): Promise<FeedCursor | undefined> {
  // One statement, so that the shards are those of the version.
  const { rows } = await sql<CursorRow>`
    select feed_cursors.segment, feed_cursors.version, shard, chunk, chunk_offset as "offset", record_index as "index",
      feed_shards.version as "shardVersion"
    from feed_cursors left join feed_shards using (account_id)
    where account_id = ${accountId} and segment <> ''
    order by shard`.execute(on);
  const first = rows[0];
  if (first === undefined) return undefined;
  const shards: Record<string, CursorShard> = {};
  for (const { shard, chunk, offset, index, shardVersion } of rows) {
    if (shard !== null) shards[shard] = { chunk, offset, index, version: shardVersion };
  }
  return { segment: first.segment, version: first.version, shards };
}

/** Reads the cursor and holds it until the transaction ends: no page moves meanwhile, and none is in flight. */
export async function holdCursor(tx: Tx, accountId: number): Promise<FeedCursor | undefined> {
  await sql`select from feed_cursors where account_id = ${accountId} for no key update`.execute(tx);
  return readCursor(tx, accountId);
}

interface CursorRow extends ShardPosition {
  readonly segment: string;
  readonly version: number;
  readonly shard: string | null;
  readonly shardVersion: number;
}

/**
 * Begins a segment, with nothing of it applied, where the cursor's version still is `from` (0: none, or
 * forgotten). Whoever calls it has every shard of the segment before wholly committed.
 *
 * @returns the new version, or `lost` where another attempt was faster.
 */
export async function beginSegment(tx: Tx, accountId: number, from: number, segment: string): Promise<number | 'lost'> {
  const { rows } = await (from === 0
    ? sql<{ version: number }>`
        insert into feed_cursors (account_id, version, segment, moved_at)
        values (${accountId}, 1, ${segment}, ${serverNow})
        on conflict (account_id) do update set
          segment = excluded.segment, version = feed_cursors.version + 1, moved_at = excluded.moved_at
        where feed_cursors.segment = ''
        returning version`
    : sql<{ version: number }>`
        update feed_cursors set segment = ${segment}, version = version + 1, moved_at = ${serverNow}
        where account_id = ${accountId} and version = ${from} and segment <> ''
        returning version`
  ).execute(tx);
  const version = rows[0]?.version;
  if (version === undefined) return 'lost';
  await tx.deleteFrom('feed_shards').where('account_id', '=', accountId).execute();
  return version;
}

/** One shard's step over one page. */
export interface ShardMove {
  /** The version of the account's cursor that the page was read under. */
  readonly cursor: number;
  readonly shard: string;
  /** The shard's version before the page; 0: none. The one after it is `from + 1`. */
  readonly from: number;
  readonly to: ShardPosition;
}

/**
 * Moves a shard over a page where both versions are what they were when it was read (invariant 3). Whoever
 * commits the page holds the account's cursor until then, so that a rewind waits for it, or makes it lose.
 * `lost`: another attempt was faster, or the cursor was set elsewhere; the caller rolls back.
 */
export async function moveShard(
  tx: Tx,
  accountId: number,
  { cursor, shard, from, to }: ShardMove,
): Promise<'moved' | 'lost'> {
  const held = sql`select from feed_cursors where account_id = ${accountId} and version = ${cursor} for share`;
  const { numAffectedRows } = await (from === 0
    ? sql`
        with held as (${held})
        insert into feed_shards (account_id, shard, chunk, chunk_offset, record_index, version, moved_at)
        select ${accountId}::integer, ${shard}, ${to.chunk}, ${to.offset}::bigint, ${to.index}::integer, 1, ${serverNow}
        from held
        on conflict do nothing`
    : sql`
        with held as (${held})
        update feed_shards set
          chunk = ${to.chunk}, chunk_offset = ${to.offset}, record_index = ${to.index},
          version = version + 1, moved_at = ${serverNow}
        from held
        where account_id = ${accountId} and shard = ${shard} and version = ${from}`
  ).execute(tx);
  return numAffectedRows === 1n ? 'moved' : 'lost';
}

/**
 * Sets the cursor wherever it is: a rewind, a gap, a skip. Every page in flight loses.
 *
 * @returns the new version.
 */
export async function setCursor(
  tx: Tx,
  accountId: number,
  to: { readonly segment: string; readonly shards: Readonly<Record<string, ShardPosition>> },
): Promise<number> {
  const { rows } = await sql<{ version: number }>`
    insert into feed_cursors (account_id, version, segment, moved_at)
    values (${accountId}, 1, ${to.segment}, ${serverNow})
    on conflict (account_id) do update set
      segment = excluded.segment, version = feed_cursors.version + 1, moved_at = excluded.moved_at
    returning version`.execute(tx);
  await tx.deleteFrom('feed_shards').where('account_id', '=', accountId).execute();
  for (const [shard, { chunk, offset, index }] of Object.entries(to.shards)) {
    await sql`
      insert into feed_shards (account_id, shard, chunk, chunk_offset, record_index, version, moved_at)
      values (${accountId}, ${shard}, ${chunk}, ${offset}, ${index}, 1, ${serverNow})`.execute(tx);
  }
  return rows[0]?.version ?? 0;
}

/** Forgets how far the feed is applied: it is read again from its beginning. */
export async function forgetCursor(on: Queryable, accountId: number): Promise<void> {
  // The shards' rows mean nothing to a cursor without a segment; the next one deletes them.
  await sql`
    update feed_cursors set segment = '', version = version + 1, moved_at = ${serverNow}
    where account_id = ${accountId}`.execute(on);
}
