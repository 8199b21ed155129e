import { describe, expect, it } from 'vitest';
import { FeedEye } from '../../../activities/observability/feed-eye.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';

const { signal } = new AbortController();
const AT = Date.UTC(2026, 0, 1, 1);

function feedOf(minute = 0): MemoryFeed {
  const feed = new MemoryFeed();
  feed.now = AT;
  feed.segment(minute, 'Publishing', ['00', '01']);
  feed.append(`${feed.shard(minute)}00000.avro`, avroHeader(), avroBlock([feedRecord(1)]));
  return feed;
}

/** A cursor that has read all that these chunks hold now. */
function readTo(feed: MemoryFeed, minute: number, ...shards: string[]) {
  const positions = shards.map((shard) => {
    const chunk = `${feed.shard(minute, shard)}00000.avro`;
    return [feed.shard(minute, shard), { chunk, offset: feed.files.get(chunk)?.length ?? 0 }] as const;
  });
  return { segment: feed.manifest(minute), shards: Object.fromEntries(positions) };
}

describe('9: what the feed itself shows', () => {
  it('9: shows nothing unread where the cursor stands at the end of every chunk', async () => {
    const feed = feedOf();
    expect(await new FeedEye(feed).look(readTo(feed, 0, '00'), signal)).toMatchObject({ unread: undefined });
  });

  it('9: shows what an open segment has grown by, which segments.json does not tell', async () => {
    const feed = feedOf();
    const place = readTo(feed, 0, '00');
    const eye = new FeedEye(feed);
    await eye.look(place, signal);
    const block = avroBlock([feedRecord(2)]);
    feed.append(`${feed.shard(0)}00000.avro`, block);
    const chunk = `${feed.shard(0)}00000.avro`;
    expect(await eye.look(place, signal)).toMatchObject({ unread: { bytes: block.length, chunk, since: AT } });
  });

  it('9: shows a new chunk, and a shard that nothing was read of', async () => {
    const feed = feedOf();
    const place = readTo(feed, 0, '00');
    feed.append(`${feed.shard(0)}00001.avro`, avroHeader(), avroBlock([feedRecord(2)]));
    feed.append(`${feed.shard(0, '01')}00000.avro`, avroHeader(), avroBlock([feedRecord(3)]));
    const size = ['00001', '00000'].map(
      (chunk, at) => feed.files.get(`${feed.shard(0, at === 0 ? '00' : '01')}${chunk}.avro`)?.length ?? 0,
    );
    const view = await new FeedEye(feed).look(place, signal);
    expect(view).toMatchObject({ unread: { bytes: (size[0] ?? 0) + (size[1] ?? 0) } });
  });

  it('9: takes a chunk of a header alone, or of nothing, for no news, and asks for the header once', async () => {
    const feed = feedOf();
    const place = readTo(feed, 0, '00');
    feed.append(`${feed.shard(0)}00001.avro`, avroHeader());
    feed.append(`${feed.shard(0, '01')}00000.avro`);
    const eye = new FeedEye(feed);
    expect(await eye.look(place, signal)).toMatchObject({ unread: undefined });
    await eye.look(place, signal);
    expect(feed.ranges).toHaveLength(1);
  });

  it('9: shows what the next segment holds, and what was left in the one before', async () => {
    const feed = feedOf();
    const place = readTo(feed, 0, '00');
    feed.segment(1, 'Publishing');
    feed.append(`${feed.shard(1)}00000.avro`, avroHeader(), avroBlock([feedRecord(2)]));
    const eye = new FeedEye(feed);
    expect(await eye.look(place, signal)).toMatchObject({ unread: { chunk: `${feed.shard(1)}00000.avro` } });
    feed.append(`${feed.shard(0)}00000.avro`, avroBlock([feedRecord(3)]));
    expect(await eye.look(place, signal)).toMatchObject({ unread: { chunk: `${feed.shard(0)}00000.avro` } });
    expect(await eye.look(readTo(feed, 1, '00'), signal)).toMatchObject({ unread: undefined });
  });

  it('9: says why it sees nothing, and does not wait for an account that stalls', async () => {
    expect(await new FeedEye(new MemoryFeed()).look({ segment: undefined, shards: {} }, signal)).toMatchObject({
      ...{ kind: 'unseen', why: 'not-enabled' },
    });
    const stalled = Object.assign(feedOf(), { readText: () => new Promise<never>(() => {}) });
    expect(await new FeedEye(stalled).look({ segment: undefined, shards: {} }, signal)).toEqual({
      ...{ kind: 'unseen', why: 'unreachable', message: 'the account did not answer within 4 s' },
    });
  });
});
