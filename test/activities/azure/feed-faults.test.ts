import { describe, expect, it } from 'vitest';
import type { FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader, type FeedReaderOptions } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

function newReader(feed: MemoryFeed, options: Partial<FeedReaderOptions> = {}): FeedReader {
  return new FeedReader(feed, { source: 'feed', sleep: async () => {}, ...options });
}

const blobs = (from: number, count: number) => Array.from({ length: count }, (_, at) => feedRecord(from + at));
const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `blob-${from + at}`);

/** One open segment of one shard, whose first chunk holds blobs 1 to `count`. */
function feedOf(count: number, block = 10): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  feed.append(`${feed.shard(0)}00000.avro`, avroHeader());
  for (let from = 1; from <= count; from += block) {
    feed.append(`${feed.shard(0)}00000.avro`, avroBlock(blobs(from, Math.min(block, count + 1 - from))));
  }
  return feed;
}

describe('a feed that changes while it is read', () => {
  it('9: is read to the last record where a chunk grows between any two requests', async () => {
    const feed = feedOf(10);
    const path = `${feed.shard(0)}00000.avro`;
    let next = 11;
    feed.onAsk = (asked) => {
      if (!asked.startsWith('range') || next > 60) return;
      feed.append(path, avroBlock(blobs(next, 3)).subarray(0, 40), avroBlock(blobs(next, 3)).subarray(40));
      next += 3;
    };
    const reader = newReader(feed, { sliceBytes: 300 });
    const first = await drainFeed(reader);
    const second = await drainFeed(reader, first.cursor);
    expect([...first.names, ...second.names]).toEqual(names(1, next - 1));
  });

  it('9: is read to the last record where a segment is finalised between any two requests', async () => {
    for (let moment = 1; moment <= 12; moment++) {
      const feed = feedOf(5);
      const reader = newReader(feed);
      let asks = 0;
      feed.onAsk = () => {
        if (++asks !== moment) return;
        // The last block is written, then the next segment opens, then this one is final: the order of the service.
        feed.append(`${feed.shard(0)}00000.avro`, avroBlock(blobs(6, 5)));
        feed.segment(0, 'Finalized', ['00'], 15);
        feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(11, 5)));
        feed.segment(15, 'Publishing');
      };
      const read: string[] = [];
      let cursor: FeedStart | undefined;
      for (let poll = 0; poll < 8; poll++) {
        const drained = await drainFeed(reader, cursor);
        read.push(...drained.names);
        cursor = drained.cursor;
      }
      expect(read, `finalised at request ${moment}`).toEqual(names(1, asks < moment ? 5 : 15));
    }
  });

  it('9: is read wholly where a chunk is followed by the next one at any request', async () => {
    for (let moment = 1; moment <= 10; moment++) {
      const feed = feedOf(5);
      const reader = newReader(feed);
      let asks = 0;
      feed.onAsk = () => {
        if (++asks !== moment) return;
        feed.append(`${feed.shard(0)}00000.avro`, avroBlock(blobs(6, 5)));
        feed.append(`${feed.shard(0)}00001.avro`, avroHeader(), avroBlock(blobs(11, 5)));
      };
      const read: string[] = [];
      let cursor: FeedStart | undefined;
      for (let poll = 0; poll < 6; poll++) {
        const drained = await drainFeed(reader, cursor);
        read.push(...drained.names);
        cursor = drained.cursor;
      }
      expect(read, `followed at request ${moment}`).toEqual(names(1, 15));
    }
  });

  it('9: is damaged where a finished chunk is torn at its first block, however whole the chunk before it is', async () => {
    const feed = feedOf(2);
    feed.segment(0, 'Finalized', ['00'], 15);
    feed.append(`${feed.shard(0)}00001.avro`, avroHeader(), avroBlock(blobs(3, 2)).subarray(0, 60));
    feed.segment(15, 'Publishing');
    let now = 0;
    const reader = newReader(feed, { now: () => now });
    const { names: read, caughtUp, cursor } = await drainFeed(reader);
    expect({ read, caughtUp }).toEqual({ read: names(1, 2), caughtUp: false });
    now = 29_000;
    expect(await drainFeed(reader, cursor)).toMatchObject({ names: [], caughtUp: false });
    now = 31_000;
    const damage = { code: 'ISTHMUS_FEED_CORRUPT', path: `${feed.shard(0)}00001.avro`, offset: 0 };
    await expect(drainFeed(reader, cursor)).rejects.toMatchObject(damage);
  });

  it('9: is listed again before it is left, however fresh its listing is', async () => {
    const feed = feedOf(2);
    feed.segment(0, 'Not Finalized');
    feed.segment(15, 'Publishing');
    let now = 0;
    const reader = newReader(feed, { graceMs: 1, now: () => now });
    let cursor: FeedStart | undefined;
    const read: string[] = [];
    for (let look = 1; look <= 4; look++) {
      if (look === 3) feed.append(`${feed.shard(0)}00001.avro`, avroHeader(), avroBlock(blobs(3, 2)));
      const drained = await drainFeed(reader, cursor);
      read.push(...drained.names);
      cursor = drained.cursor;
      now += 1;
    }
    expect(cursor?.segment).toBe(feed.manifest(15));
    expect(read).toEqual(names(1, 4));
  });

  it('9: has a shard that appears in an open segment read', async () => {
    const feed = feedOf(2);
    let now = 0;
    const reader = newReader(feed, { now: () => now });
    const { cursor } = await drainFeed(reader);
    feed.segment(0, 'Publishing', ['00', '01']);
    feed.append(`${feed.shard(0, '01')}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    now += 2_000;
    expect((await drainFeed(reader, cursor)).names).toEqual(names(3, 2));
  });

  it('9: is read on where lastConsumable names a segment before its manifest is there', async () => {
    const feed = feedOf(2);
    let now = 0;
    const reader = newReader(feed, { now: () => now });
    const first = await drainFeed(reader);
    const segments = feed.files.get('meta/segments.json');
    feed.segment(15, 'Publishing');
    const manifest = feed.files.get(feed.manifest(15));
    feed.files.delete(feed.manifest(15));
    expect(segments?.equals(feed.files.get('meta/segments.json') ?? Buffer.alloc(0))).toBe(false);
    expect((await drainFeed(reader, first.cursor)).names).toEqual([]);
    feed.files.set(feed.manifest(15), manifest ?? Buffer.alloc(0));
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    feed.segment(0, 'Finalized', ['00'], 15);
    now += 2_000;
    expect((await drainFeed(reader, first.cursor)).names).toEqual(names(3, 2));
  });

  it('9: goes on with the segment that it reads, though an older one is named for a while', async () => {
    const feed = feedOf(2);
    feed.segment(0, 'Finalized', ['00'], 15);
    feed.segment(15, 'Publishing');
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    const reader = newReader(feed);
    const first = await drainFeed(reader);
    feed.segment(0, 'Finalized', ['00'], 0);
    feed.append(`${feed.shard(15)}00000.avro`, avroBlock(blobs(5, 1)));
    for (const each of [newReader(feed), reader]) {
      expect(await drainFeed(each, first.cursor)).toMatchObject({ names: names(5, 1), caughtUp: true });
    }
    feed.files.delete(feed.manifest(15));
    await expect(drainFeed(newReader(feed), first.cursor)).rejects.toMatchObject({ missing: feed.manifest(15) });
  });

  it.each([0, 1, 40])(
    '9: waits for a manifest that is seen half, cut at byte %i, and only then calls it damaged',
    async (cut) => {
      const feed = feedOf(2);
      const whole = feed.files.get(feed.manifest(0)) ?? Buffer.alloc(0);
      feed.files.set(feed.manifest(0), whole.subarray(0, cut));
      let reads = 0;
      feed.onAsk = (asked) => {
        if (asked.includes('/meta.json') && ++reads === 3) feed.files.set(feed.manifest(0), whole);
      };
      expect((await drainFeed(newReader(feed))).names).toEqual(names(1, 2));
      feed.onAsk = undefined;
      feed.files.set(feed.manifest(0), whole.subarray(0, cut));
      await expect(drainFeed(newReader(feed))).rejects.toMatchObject({
        code: 'ISTHMUS_FEED_CORRUPT',
        path: feed.manifest(0),
        offset: 0,
      });
    },
  );

  it('9: waits for a segments.json that is seen half', async () => {
    const feed = feedOf(2);
    const whole = feed.files.get('meta/segments.json') ?? Buffer.alloc(0);
    feed.files.set('meta/segments.json', whole.subarray(0, 17));
    let reads = 0;
    feed.onAsk = (asked) => {
      if (asked.endsWith('segments.json') && ++reads === 4) feed.files.set('meta/segments.json', whole);
    };
    expect((await drainFeed(newReader(feed))).names).toEqual(names(1, 2));
  });

  it('12: takes a torn end of a finished segment for late, and after a while for damage', async () => {
    const feed = feedOf(2);
    const path = `${feed.shard(0)}00000.avro`;
    const late = avroBlock(blobs(3, 2));
    const whole = feed.files.get(path)?.length;
    feed.append(path, late.subarray(0, 50));
    feed.segment(0, 'Finalized', ['00'], 15);
    feed.segment(15, 'Publishing');
    let now = 0;
    const reader = newReader(feed, { now: () => now, graceMs: 1_000 });
    const first = await drainFeed(reader);
    expect(first).toMatchObject({ names: names(1, 2), caughtUp: false });
    now += 999;
    expect(await drainFeed(reader, first.cursor)).toMatchObject({ names: [], caughtUp: false });
    now += 1;
    await expect(drainFeed(reader, first.cursor)).rejects.toMatchObject({ path, offset: whole });
    feed.append(path, late.subarray(50));
    expect(await drainFeed(reader, first.cursor)).toMatchObject({ names: names(3, 2), caughtUp: true });
  });
});
