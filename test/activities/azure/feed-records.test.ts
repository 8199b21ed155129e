import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedPage } from '../../../activities/azure/feed-page.ts';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { blockAfter, readChunk } from '../../../activities/azure/feed-records.ts';
import { paddedVarint } from '../../../infra/local/storage/feed/encode.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

const signal = new AbortController().signal;
const BLOCKS = 5;

/** Five blocks of two records, and where each begins. */
function chunkOf() {
  const blocks = Array.from({ length: BLOCKS }, (_, at) => avroBlock([feedRecord(2 * at), feedRecord(2 * at + 1)]));
  const offsets = [avroHeader().length];
  for (const block of blocks) offsets.push((offsets.at(-1) ?? 0) + block.length);
  return { bytes: Buffer.concat([avroHeader(), ...blocks]), offsets };
}

function feedOf(bytes: Buffer): { feed: MemoryFeed; path: string } {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  const path = `${feed.shard(0)}00000.avro`;
  feed.append(path, bytes);
  return { feed, path };
}

async function read(feed: MemoryFeed, path: string) {
  const ids: unknown[] = [];
  const broken: { offset: number; torn: boolean }[] = [];
  for await (const item of readChunk(feed, path, signal)) {
    if ('broken' in item) broken.push(item.broken);
    else ids.push((item.record as { id: string }).id);
  }
  return { ids, broken };
}

const idsBut = (bad: number) =>
  Array.from({ length: 2 * BLOCKS }, (_, at) => `id-${at}`).filter((_, at) => Math.floor(at / 2) !== bad);

describe('a damaged chunk', () => {
  it('12: is named at its block, wherever in it the damage is, and read on from the next one', async () => {
    const { bytes, offsets } = chunkOf();
    // What the format can tell of: a block's two numbers, and its marker. Inside a text any byte may be meant.
    const damage = fc.tuple(
      fc.nat({ max: BLOCKS - 1 }),
      fc.integer({ min: -16, max: 19 }),
      fc.integer({ min: 1, max: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ([bad, place, length]) => {
        const start = offsets[bad] ?? 0;
        const end = offsets[bad + 1] ?? 0;
        const from = place < 0 ? end + place : start + place;
        const hurt = Buffer.from(bytes).fill(0xff, from, Math.min(end, from + length));
        const { feed, path } = feedOf(hurt);
        const { ids, broken } = await read(feed, path);
        expect(ids).toEqual(idsBut(bad));
        expect(broken).toMatchObject([{ path, offset: start, torn: false }]);
        expect(await blockAfter(feed, path, start, signal)).toBe(end);

        // The reader stops there with what is before it, and goes on behind it once it is skipped.
        const reader = new FeedReader(feed, { source: 'feed' });
        const pages: FeedPage[] = [];
        await expect(drainFeed(reader, undefined, { pages })).rejects.toMatchObject({ path, offset: start });
        expect(pages.flatMap(({ events }) => events).map(({ eventId }) => eventId)).toEqual(
          idsBut(bad).slice(0, 2 * bad),
        );
        const shards = { [feed.shard(0)]: { chunk: path, offset: end, index: 0 } };
        const rest = await drainFeed(reader, { segment: feed.manifest(0), shards });
        expect(rest.pages.flatMap(({ events }) => events).map(({ eventId }) => eventId)).toEqual(
          idsBut(bad).slice(2 * bad),
        );
      }),
      { numRuns: 100 },
    );
  });

  it.each([1, 3])('12: is not waited for where block %i claims more bytes than it has', async (bad) => {
    const { bytes, offsets } = chunkOf();
    const start = offsets[bad] ?? 0;
    const hurt = Buffer.from(bytes);
    paddedVarint(5_000).copy(hurt, start + 10);
    const { feed, path } = feedOf(hurt);
    const pages: FeedPage[] = [];
    const reading = drainFeed(new FeedReader(feed, { source: 'feed' }), undefined, { pages });
    await expect(reading).rejects.toMatchObject({ path, offset: start });
    expect(pages.at(-1)?.to.offset).toBe(start);
    expect(await read(feed, path)).toMatchObject({ ids: idsBut(bad), broken: [{ offset: start, torn: false }] });
    expect(await blockAfter(feed, path, start, signal)).toBe(offsets[bad + 1]);
  });

  it('3: is committed up to the block that has one bad record, and with nothing of that block', async () => {
    const good = avroBlock([feedRecord(1), feedRecord(2)]);
    const late = { ...feedRecord(4), eventTime: 'soon' };
    const { feed, path } = feedOf(Buffer.concat([avroHeader(), good, avroBlock([feedRecord(3), late])]));
    const pages: FeedPage[] = [];
    const offset = avroHeader().length + good.length;
    const reading = drainFeed(new FeedReader(feed, { source: 'feed' }), undefined, { pages });
    await expect(reading).rejects.toMatchObject({ path, offset });
    expect(pages.flatMap(({ events }) => events.map(({ name }) => name))).toEqual(['blob-1', 'blob-2']);
    expect(pages[0]?.records).toBe(2);
  });

  it('12: is read on from a block that the tail applies, though a text in it beside the name is not UTF-8', async () => {
    const { bytes, offsets } = chunkOf();
    const [, second = 0] = offsets;
    const hurt = Buffer.from(bytes).fill(0xff, second - 5, second);
    hurt.fill(0xff, hurt.indexOf('PutBlob', second), hurt.indexOf('PutBlob', second) + 1);
    const { feed, path } = feedOf(hurt);
    expect(await read(feed, path)).toMatchObject({ ids: idsBut(0), broken: [{ offset: offsets[0] }] });
    expect(await blockAfter(feed, path, offsets[0] ?? 0, signal)).toBe(second);
    const shards = { [feed.shard(0)]: { chunk: path, offset: second, index: 0 } };
    const rest = await drainFeed(new FeedReader(feed, { source: 'feed' }), { segment: feed.manifest(0), shards });
    expect(rest.pages[0]?.records).toBe(2 * (BLOCKS - 1));
  });

  it('12: is torn, not damaged, where it ends in the middle of a block', async () => {
    const { bytes, offsets } = chunkOf();
    const last = offsets[BLOCKS - 1] ?? 0;
    for (let end = last + 1; end < bytes.length; end += 7) {
      const { feed, path } = feedOf(bytes.subarray(0, end));
      const { ids, broken } = await read(feed, path);
      expect(ids).toEqual(idsBut(BLOCKS - 1));
      expect(broken).toMatchObject([{ path, offset: last, torn: true }]);
    }
  });

  it('12: is named once, and left out whole, where the schema in its header is none', async () => {
    const { bytes } = chunkOf();
    const hurt = Buffer.from(bytes).fill('x', bytes.indexOf('BlobChangeEvent') - 1);
    bytes.copy(hurt, avroHeader().length - 16, avroHeader().length - 16);
    const { feed, path } = feedOf(hurt);
    expect(await read(feed, path)).toMatchObject({ ids: [], broken: [{ path, offset: 0, torn: false }] });
    expect(await blockAfter(feed, path, 0, signal)).toBe(bytes.length);
  });

  it('12: has nothing behind a header that cannot be read, and is no damage while it is empty', async () => {
    const { bytes } = chunkOf();
    const { feed, path } = feedOf(Buffer.from(bytes).fill('x', 0, 1));
    expect(await read(feed, path)).toMatchObject({ ids: [], broken: [{ path, offset: 0, torn: false }] });
    expect(await blockAfter(feed, path, 0, signal)).toBe(bytes.length);
    await expect(drainFeed(new FeedReader(feed, { source: 'feed' }))).rejects.toMatchObject({ path, offset: 0 });
    const empty = feedOf(Buffer.alloc(0));
    expect(await read(empty.feed, empty.path)).toEqual({ ids: [], broken: [] });
  });
});
