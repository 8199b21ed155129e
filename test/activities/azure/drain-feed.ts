import type { FeedEnd, FeedPage, FeedStart } from '../../../activities/azure/feed-page.ts';
import type { FeedReader } from '../../../activities/azure/feed-reader.ts';
import type { ShardPosition } from '../../../schema/index/feed-cursors.ts';

export interface Drained extends FeedEnd {
  readonly names: readonly string[];
  readonly pages: readonly FeedPage[];
  /** After everything that was read, as the index would have it. */
  readonly cursor: FeedStart | undefined;
}

/** Reads to the end, shard after shard, or `lanes` of them side by side. */
export async function drainFeed(
  reader: FeedReader,
  from?: FeedStart,
  { lanes = 1, signal = new AbortController().signal, pages = [] as FeedPage[] } = {},
): Promise<Drained> {
  let cursor = from;
  const segments = reader.segments(from, signal);
  let step = await segments.next();
  for (; step.done !== true; step = await segments.next()) {
    const { path, shards } = step.value;
    const positions: Record<string, ShardPosition> = cursor?.segment === path ? { ...cursor.shards } : {};
    cursor = { segment: path, shards: positions };
    const waiting = [...shards];
    const lane = async () => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        for await (const page of shard.pages(signal)) {
          pages.push(page);
          positions[page.shard] = page.to;
        }
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }
  const names = pages.flatMap(({ events }) => events.map((event) => event.name));
  return { ...step.value, names, pages, cursor };
}
