import { chunkNumber } from '../../../activities/azure/chunk-listing.ts';
import type { FeedCursor } from '../../../schema/index/feed-cursors.ts';
import type { CheckedRecord } from './check-feed.ts';

/** Whether the index has taken a record by this cursor: only then what it says can be asked of the index. */
export function isBehind(cursor: FeedCursor, { position, chunk }: CheckedRecord): boolean {
  if (chunk.segment !== cursor.segment) return chunk.segment < cursor.segment;
  const at = cursor.shards[chunk.shard];
  if (at === undefined) return false;
  const number = chunkNumber(chunk.shard, at.chunk);
  if (number === undefined) return false;
  if (chunk.number !== number) return chunk.number < number;
  return position.offset < at.offset || (position.offset === at.offset && position.index < at.index);
}
