import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';

/** A feed of one open segment and one shard: numbered blobs, some to a block. */
export function feedOf(blocks: number, each: number): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  const records = (at: number) => Array.from({ length: each }, (_, index) => feedRecord(1 + at * each + index));
  feed.append(
    `${feed.shard(0)}00000.avro`,
    avroHeader(),
    ...Array.from({ length: blocks }, (_, at) => avroBlock(records(at))),
  );
  return feed;
}
