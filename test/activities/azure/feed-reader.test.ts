import { describe, expect, it } from 'vitest';
import type { FeedPage, FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader, type FeedReaderOptions } from '../../../activities/azure/feed-reader.ts';
import { drainFeed as drain } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

function newReader(feed: MemoryFeed, options: Partial<FeedReaderOptions> = {}): FeedReader {
  return new FeedReader(feed, { source: 'feed', ...options });
}

const blobs = (from: number, count: number) => Array.from({ length: count }, (_, at) => feedRecord(from + at));
const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `blob-${from + at}`);

describe('the feed reader', () => {
  it('reads the segment that lastConsumable names, and none after it', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Finalized');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 2)));
    feed.segment(15, 'Publishing');
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    feed.segment(30, 'Publishing', ['00'], 15);
    feed.append(`${feed.shard(30)}00000.avro`, avroHeader(), avroBlock(blobs(5, 2)));
    expect(await drain(newReader(feed))).toMatchObject({ names: names(1, 4), caughtUp: true });
  });

  it('reads every shard, and every chunk of a shard, by the paths of the manifest', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing', ['00', '01', '02']);
    feed.append(`${feed.shard(0, '00')}00000.avro`, avroHeader(), avroBlock(blobs(1, 3)));
    feed.append(`${feed.shard(0, '00')}00001.avro`, avroHeader(), avroBlock(blobs(4, 3)));
    feed.append(`${feed.shard(0, '02')}00000.avro`, avroHeader(), avroBlock(blobs(7, 3)));
    const { names: read, cursor } = await drain(newReader(feed));
    expect([...read].sort()).toEqual(names(1, 9).sort());
    expect(Object.keys(cursor?.shards ?? {})).toEqual([feed.shard(0, '00'), feed.shard(0, '02')]);
    feed.append(`${feed.shard(0, '01')}00000.avro`, avroHeader(), avroBlock(blobs(10, 1)));
    expect((await drain(newReader(feed), cursor)).names).toEqual(['blob-10']);
  });

  it('8: takes a chunk that is cut at any byte for one that has not all come yet, and later reads the rest once', async () => {
    const whole = Buffer.concat([avroHeader(), avroBlock(blobs(1, 2)), avroBlock(blobs(3, 1)), avroBlock([])]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const feed = new MemoryFeed();
      feed.segment(0, 'Publishing');
      const path = `${feed.shard(0)}00000.avro`;
      feed.append(path, whole.subarray(0, cut));
      const reader = newReader(feed);
      const first = await drain(reader);
      feed.append(path, whole.subarray(cut));
      const bytes = feed.ranges.reduce((sum, range) => sum + range.bytes, 0);
      const again = await drain(reader, first.cursor);
      expect([...first.names, ...again.names], `cut at ${cut}`).toEqual(names(1, 3));
      // Every byte is fetched once.
      expect(
        feed.ranges.reduce((sum, range) => sum + range.bytes, 0),
        `cut at ${cut}`,
      ).toBe(whole.length);
      expect(bytes).toBe(cut);
      // So does one that starts from the cursor alone.
      expect([...first.names, ...(await drain(newReader(feed), first.cursor)).names]).toEqual(names(1, 3));
    }
  });

  it('reads blocks that are larger than a slice, and ends a page at a block', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const blocks = Array.from({ length: 20 }, (_, at) => avroBlock(blobs(1 + at * 10, 10)));
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), ...blocks);
    const { pages } = await drain(newReader(feed, { pageRecords: 25, sliceBytes: 100 }));
    expect(pages.map(({ records }) => records)).toEqual([30, 30, 30, 30, 30, 30, 20]);
    for (const [at, page] of pages.entries()) expect(page.from).toEqual(pages[at - 1]?.to);
  });

  it('goes on in the middle of a block, where a cursor says so', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const path = `${feed.shard(0)}00000.avro`;
    feed.append(path, avroHeader(), avroBlock(blobs(1, 4)), avroBlock(blobs(5, 4)));
    const { length } = avroHeader();
    const shards = { [feed.shard(0)]: { chunk: path, offset: length, index: 3 } };
    const { pages, names: read } = await drain(newReader(feed), { segment: feed.manifest(0), shards });
    expect(read).toEqual(names(4, 5));
    expect(pages.map(({ records }) => records)).toEqual([5]);
  });

  it('goes on from any page of any cursor, with no record lost or read twice', async () => {
    const feed = new MemoryFeed();
    for (const minute of [0, 15, 60]) {
      feed.segment(minute, 'Finalized', ['00', '01']);
      for (const shard of ['00', '01']) {
        const blocks = [0, 1, 2].map((at) => avroBlock(blobs(minute * 100 + Number(shard) * 1000 + at * 10, 10)));
        feed.append(`${feed.shard(minute, shard)}00000.avro`, avroHeader(), ...blocks);
      }
    }
    const { pages, names: all } = await drain(newReader(feed, { pageRecords: 15 }));
    expect(new Set(all).size).toBe(180);
    let cursor: FeedStart | undefined;
    let read = 0;
    for (const page of pages) {
      const shards: FeedStart['shards'] = cursor?.segment === page.segment ? cursor.shards : {};
      cursor = { segment: page.segment, shards: { ...shards, [page.shard]: page.to } };
      read += page.events.length;
      expect((await drain(newReader(feed), cursor)).names).toEqual(all.slice(read));
    }
  });

  it('9: reads again from any earlier place, though nothing has changed since it read to the end', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const path = `${feed.shard(0)}00000.avro`;
    feed.append(path, avroHeader(), avroBlock(blobs(1, 3)), avroBlock(blobs(4, 3)));
    const reader = newReader(feed, { pageRecords: 3 });
    const { pages, cursor } = await drain(reader);
    const places = [{}, ...pages.map(({ to }) => ({ [feed.shard(0)]: to }))];
    for (const [at, shards] of places.entries()) {
      // To the end each time, so that the reader knows the file as it is there.
      expect((await drain(reader, cursor)).names).toEqual([]);
      const read = await drain(reader, { segment: feed.manifest(0), shards });
      expect(read.names).toEqual(names(1 + 3 * at, 6 - 3 * at));
    }
  });

  it('reads a segment to its end once more after a later one has opened', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)));
    const reader = newReader(feed);
    const first = await drain(reader);
    feed.append(`${feed.shard(0)}00000.avro`, avroBlock(blobs(2, 1)));
    feed.segment(0, 'Finalized');
    feed.segment(15, 'Publishing');
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(3, 1)));
    expect((await drain(reader, first.cursor)).names).toEqual(['blob-2', 'blob-3']);
  });

  it('waits a while for a segment that has a successor and does not say that it is final', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Not Finalized');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)));
    feed.segment(15, 'Publishing');
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(2, 1)));
    let now = 1_000;
    const reader = newReader(feed, { graceMs: 500, now: () => now });
    const first = await drain(reader);
    expect(first).toMatchObject({ names: ['blob-1'], caughtUp: false });
    now += 499;
    expect((await drain(reader, first.cursor)).names).toEqual([]);
    now += 1;
    expect(await drain(reader, first.cursor)).toMatchObject({ names: ['blob-2'], caughtUp: true });
    // One that jumps makes no time pass.
    const jumping = newReader(feed, { graceMs: 500, now: () => now });
    for (const jump of [0, 3_600_000]) {
      now += jump;
      expect(await drain(jumping, first.cursor)).toMatchObject({ names: [], caughtUp: false });
    }
  });

  it('polls with one small read and one listing a shard while nothing changes', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)));
    const reader = newReader(feed);
    const { cursor } = await drain(reader);
    feed.asked.length = 0;
    await drain(reader, cursor);
    expect(feed.asked).toEqual([
      'text meta/segments.json',
      `range ${feed.shard(0)}00000.avro`,
      `list ${feed.shard(0)}`,
    ]);
    feed.asked.length = 0;
    await drain(reader, cursor);
    expect(feed.asked).toEqual(['text meta/segments.json', `range ${feed.shard(0)}00000.avro`]);
  });

  it.each(['still open', 'finished'])(
    '9: reads what an answer left out that bore the ETag of an append after it, in a segment that is %s',
    async (is) => {
      const feed = new MemoryFeed();
      feed.segment(0, 'Publishing');
      const path = `${feed.shard(0)}00000.avro`;
      feed.append(path, avroHeader(), avroBlock(blobs(1, 2)));
      let now = 0;
      const reader = newReader(feed, { now: () => now });
      const readRange = feed.readRange.bind(feed);
      let late: Buffer | undefined = avroBlock(blobs(3, 2));
      feed.readRange = async (...asked) => {
        const answer = await readRange(...asked);
        if (late === undefined || typeof answer !== 'object') return answer;
        feed.append(path, late);
        late = undefined;
        return { ...answer, etag: feed.etagOf(path) };
      };
      const { names: read, cursor } = await drain(reader);
      expect(read).toEqual(names(1, 2));
      now += 2_000;
      if (is === 'finished') {
        feed.segment(0, 'Finalized');
        feed.segment(15, 'Publishing');
      }
      expect((await drain(reader, cursor)).names).toEqual(names(3, 2));
    },
  );

  it('lists the segments at most every two seconds while one is named that has no manifest yet', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Finalized', ['00'], 60);
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 2)));
    let now = 0;
    const reader = newReader(feed, { now: () => now });
    const { cursor } = await drain(reader);
    feed.asked.length = 0;
    const listings = () => feed.asked.filter((asked) => asked.startsWith('list idx/')).length;
    for (let poll = 0; poll < 19; poll++) {
      now += 100;
      expect(await drain(reader, cursor)).toMatchObject({ names: [] });
    }
    expect(listings()).toBe(0);
    feed.segment(60, 'Publishing');
    feed.append(`${feed.shard(60)}00000.avro`, avroHeader(), avroBlock(blobs(3, 2)));
    now += 100;
    expect((await drain(reader, cursor)).names).toEqual(names(3, 2));
    expect(listings()).toBe(1);
  });

  it('takes an empty chunk, a chunk of a header alone, a shard without chunks and the segment of 1601 as they are', async () => {
    const feed = new MemoryFeed();
    feed.files.set(
      'idx/segments/1601/01/01/0000/meta.json',
      Buffer.from('{"status":"Finalized","chunkFilePaths":["$blobchangefeed/log/00/1601/01/01/0000/"]}'),
    );
    feed.segment(0, 'Finalized', ['00', '01', '02']);
    feed.append(`${feed.shard(0, '00')}00000.avro`);
    feed.append(`${feed.shard(0, '01')}00000.avro`, avroHeader());
    feed.segment(15, 'Publishing');
    feed.append(`${feed.shard(15)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)));
    expect(await drain(newReader(feed))).toMatchObject({ names: ['blob-1'], caughtUp: true });
  });

  it('12: names the path and the byte of damage in the middle, after giving what is good before it', async () => {
    const header = avroHeader();
    const good = avroBlock(blobs(1, 2));
    const bad = avroBlock(blobs(3, 2));
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    const path = `${feed.shard(0)}00000.avro`;
    feed.append(path, header, good, bad, avroBlock(blobs(5, 2)));
    const pages: FeedPage[] = [];
    const offset = header.length + good.length;
    await expect(drain(newReader(feed), undefined, { pages })).rejects.toMatchObject({
      code: 'ISTHMUS_FEED_CORRUPT',
      path,
      offset,
      message: `${path} at byte ${offset}: the block does not end in the file's marker`,
    });
    expect(pages.flatMap(({ events }) => events.map(({ name }) => name))).toEqual(['blob-1', 'blob-2']);
    expect(pages.at(-1)?.to).toEqual({ chunk: path, offset, index: 0 });
  });

  it('12: takes a tail that is torn in a finished segment for damage', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Finalized');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)).subarray(0, 30));
    feed.segment(15, 'Publishing');
    await expect(drain(newReader(feed, { graceMs: 0 }))).rejects.toMatchObject({ code: 'ISTHMUS_FEED_CORRUPT' });
  });

  it('9: says that records are missing where a chunk or a segment is gone', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Publishing');
    feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, 1)));
    const { cursor } = await drain(newReader(feed));
    feed.files.delete(`${feed.shard(0)}00000.avro`);
    await expect(drain(newReader(feed), cursor)).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP' });
    feed.append(`${feed.shard(0)}00001.avro`, avroHeader());
    await expect(drain(newReader(feed))).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP' });
    feed.files.delete(feed.manifest(0));
    await expect(drain(newReader(feed), cursor)).rejects.toMatchObject({ code: 'ISTHMUS_FEED_GAP' });
  });

  it('takes a feed that has no segment yet as read to its end', async () => {
    const feed = new MemoryFeed();
    feed.files.set('other', Buffer.alloc(0));
    expect(await drain(newReader(feed))).toMatchObject({ names: [], cursor: undefined, caughtUp: true });
  });
});
