import { describe, expect, it } from 'vitest';
import type { FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

const newReader = (feed: MemoryFeed) => new FeedReader(feed, { source: 'feed' });
const blobs = (from: number, count: number) => Array.from({ length: count }, (_, at) => feedRecord(from + at));
const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `blob-${from + at}`);

/** Segments at these minutes, the last one open, with two blobs each. */
function feedOf(minutes: readonly number[]): MemoryFeed {
  const feed = new MemoryFeed();
  for (const [at, minute] of minutes.entries()) {
    feed.segment(minute, at < minutes.length - 1 ? 'Finalized' : 'Publishing');
    feed.append(`${feed.shard(minute)}00000.avro`, avroHeader(), avroBlock(blobs(1 + 2 * at, 2)));
  }
  return feed;
}

describe('a feed of which retention has taken a part', () => {
  it.each(['00000.avro', '00001.avro'])('9: has a gap where the chunk %s under the cursor is gone', async (gone) => {
    const feed = feedOf([0]);
    feed.append(`${feed.shard(0)}00001.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    const kept = newReader(feed);
    const { pages } = await drainFeed(kept);
    const to = pages.find((page) => page.to.chunk.endsWith(gone))?.to;
    const cursor = { segment: feed.manifest(0), shards: to === undefined ? {} : { [feed.shard(0)]: to } };
    feed.files.delete(`${feed.shard(0)}${gone}`);
    for (const reader of [newReader(feed), kept]) {
      const missing = `${feed.shard(0)}${gone}`;
      await expect(drainFeed(reader, cursor)).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP', missing });
    }
  });

  it('9: has a gap where the segment under the cursor is gone, whether or not the reader knew it', async () => {
    const feed = feedOf([0, 60]);
    const kept = newReader(feed);
    const cursor: FeedStart = { segment: feed.manifest(0), shards: {} };
    await drainFeed(kept, cursor);
    feed.files.delete(feed.manifest(0));
    for (const reader of [newReader(feed), kept]) {
      const missing = feed.manifest(0);
      await expect(drainFeed(reader, cursor)).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP', missing });
    }
  });

  it('9: has a gap where a chunk is shorter than what was read of it', async () => {
    const feed = feedOf([0]);
    const { cursor } = await drainFeed(newReader(feed));
    const path = `${feed.shard(0)}00000.avro`;
    feed.files.set(path, avroHeader());
    await expect(drainFeed(newReader(feed), cursor)).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP', missing: path });
  });

  it('9: has a gap where a number is missing among the chunks', async () => {
    const feed = feedOf([0]);
    feed.append(`${feed.shard(0)}00002.avro`, avroHeader());
    const missing = `${feed.shard(0)}00001.avro`;
    await expect(drainFeed(newReader(feed))).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP', missing });
  });

  it('begins at the oldest segment that is left, where nothing was read before', async () => {
    const feed = feedOf([0, 60, 120]);
    feed.files.delete(feed.manifest(0));
    expect((await drainFeed(newReader(feed))).names).toEqual(names(3, 4));
  });
});

describe('a feed with long pauses', () => {
  it('is read across 1,000 empty hours, which have no segments, in as many requests as across one', async () => {
    const near = feedOf([0, 60]);
    const far = feedOf([0, 1_001 * 60]);
    expect((await drainFeed(newReader(near))).names).toEqual(names(1, 4));
    expect((await drainFeed(newReader(far))).names).toEqual(names(1, 4));
    expect(far.asked).toHaveLength(near.asked.length);
  });

  it('8: is read through more segments than are listed at a time, of any length', async () => {
    const minutes = Array.from({ length: 1_050 }, (_, at) => (at % 2 === 0 ? at * 15 : at * 15 + 5));
    const feed = feedOf(minutes);
    const { names: read, caughtUp, cursor } = await drainFeed(newReader(feed));
    expect(read).toEqual(names(1, 2_100));
    expect({ caughtUp, segment: cursor?.segment }).toEqual({
      caughtUp: true,
      segment: feed.manifest(minutes.at(-1) ?? 0),
    });
  });

  it('9: goes on where it was, after the feed was off and is on again', async () => {
    const feed = feedOf([0]);
    const reader = newReader(feed);
    const first = await drainFeed(reader);
    // Off: its files stay, and nothing is written.
    expect(await drainFeed(reader, first.cursor)).toMatchObject({ names: [], caughtUp: true });
    feed.segment(0, 'Finalized');
    feed.segment(5_000, 'Publishing');
    feed.append(`${feed.shard(5_000)}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    expect((await drainFeed(reader, first.cursor)).names).toEqual(names(3, 2));
  });
});

describe('an account without a feed', () => {
  it('9: says that it is not enabled where nothing was read, and that it is missing where something was', async () => {
    const feed = feedOf([0]);
    const { cursor } = await drainFeed(newReader(feed));
    feed.onAsk = () => {
      throw new FeedUnavailableError('not-enabled', 'no container');
    };
    await expect(drainFeed(newReader(feed))).rejects.toMatchObject({ why: 'not-enabled' });
    await expect(drainFeed(newReader(feed), cursor)).rejects.toMatchObject({ why: 'missing' });
  });

  it('9: is missing where segments.json is gone that was read, and merely empty where none was written yet', async () => {
    const feed = feedOf([0]);
    const { cursor } = await drainFeed(newReader(feed));
    feed.files.delete('meta/segments.json');
    await expect(drainFeed(newReader(feed), cursor)).rejects.toMatchObject({ why: 'missing' });
    const empty = { names: [], caughtUp: true, head: undefined, lastConsumable: undefined };
    expect(await drainFeed(newReader(feed))).toMatchObject(empty);
  });
});
