import type { Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

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
export async function readCursor(_on: Queryable, _accountId: number): Promise<FeedCursor | undefined> {
  return unbuilt('readCursor');
}

/**
 * Moves the cursor where it still is `from`, by its version (invariant 3). `lost`: another attempt was faster;
 * the caller rolls back.
 * `to.version` is what is stored: `from.version + 1`, or 1.
 */
export async function moveCursor(
  _tx: Tx,
  _accountId: number,
  _from: FeedCursor | undefined,
  _to: FeedCursor,
): Promise<'moved' | 'lost'> {
  return unbuilt('moveCursor');
}
