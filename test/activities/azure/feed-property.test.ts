import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FeedPage, FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader, type FeedReaderOptions } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

/** A file of a feed, whole; `at` numbers its records over the whole feed. */
interface DrawnChunk {
  readonly path: string;
  readonly bytes: Buffer;
  readonly names: readonly string[];
}

/** Blocks of each chunk of each shard, by their records. */
const shape = fc.array(
  fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  { minLength: 1, maxLength: 3 },
);

const options = fc.record({
  pageRecords: fc.integer({ min: 1, max: 6 }),
  sliceBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constant(1_000_000)),
  budgetBytes: fc.constantFrom(0, 500, 1_000_000),
});

const shardName = (at: number) => String(at).padStart(2, '0');

function draw(drawn: readonly (readonly (readonly number[])[])[]): { feed: MemoryFeed; chunks: DrawnChunk[] } {
  const feed = new MemoryFeed();
  feed.segment(
    0,
    'Publishing',
    drawn.map((_, shard) => shardName(shard)),
  );
  let number = 0;
  const chunks = drawn.flatMap((shard, at) =>
    shard.map((blocks, index): DrawnChunk => {
      const names: string[] = [];
      const parts = blocks.map((records) =>
        avroBlock(
          Array.from({ length: records }, () => {
            names.push(`blob-${++number}`);
            return feedRecord(number);
          }),
        ),
      );
      const path = `${feed.shard(0, shardName(at))}${String(index).padStart(5, '0')}.avro`;
      return { path, bytes: Buffer.concat([avroHeader(), ...parts]), names };
    }),
  );
  return { feed, chunks };
}

/** By shard, as the order of one shard is what counts. */
function namesOf(pages: readonly FeedPage[]): Readonly<Record<string, readonly string[]>> {
  return byShard(pages.map(({ shard, events }) => [shard, events.map(({ name }) => name)]));
}

function expectedOf(chunks: readonly DrawnChunk[]): Readonly<Record<string, readonly string[]>> {
  return byShard(chunks.map(({ path, names }) => [path.slice(0, -'00000.avro'.length), names]));
}

function byShard(
  parts: readonly (readonly [string, readonly string[]])[],
): Readonly<Record<string, readonly string[]>> {
  const names: Record<string, readonly string[]> = {};
  for (const [shard, more] of parts) if (more.length > 0) names[shard] = [...(names[shard] ?? []), ...more];
  return names;
}

function newReader(feed: MemoryFeed, given: Partial<FeedReaderOptions>): FeedReader {
  // Listings are never old here: it is the reading that is drawn.
  let now = 0;
  return new FeedReader(feed, { source: 'feed', now: () => (now += 10_000), ...given });
}

it('1: any cutting of the files into appends, and any slice and page, gives every record once and in order', async () => {
  const appends = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 400 }), fc.boolean()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(shape, options, appends, fc.integer({ min: 1, max: 3 }), async (drawn, given, cuts, lanes) => {
      const { feed, chunks } = draw(drawn);
      let reader = newReader(feed, given);
      let cursor: FeedStart | undefined;
      const pages: FeedPage[] = [];
      const left = chunks.map(({ path, bytes }) => ({ path, bytes }));
      const grow = (at: number, bytes: number) => {
        // A chunk begins only when the one before it in its shard is whole.
        const open = left.filter(({ path }, index) => {
          const before = left[index - 1];
          return before === undefined || before.bytes.length === 0 || before.path.slice(0, -10) !== path.slice(0, -10);
        });
        const chunk = open[at % open.length];
        if (chunk === undefined || chunk.bytes.length === 0) return;
        feed.append(chunk.path, chunk.bytes.subarray(0, bytes));
        chunk.bytes = chunk.bytes.subarray(bytes);
      };
      const poll = async (options: { lanes: number }) => {
        cursor = (await drainFeed(reader, cursor, { ...options, pages })).cursor;
      };
      for (const [at, bytes, anew] of cuts) {
        grow(at, bytes);
        if (anew) reader = newReader(feed, given);
        await poll({ lanes });
      }
      for (let at = 0; at < chunks.length; at++) grow(at, Number.POSITIVE_INFINITY);
      for (const { path, bytes } of left) if (bytes.length > 0 || !feed.files.has(path)) feed.append(path, bytes);
      await poll({ lanes });
      await poll({ lanes });
      expect(namesOf(pages)).toEqual(expectedOf(chunks));
      for (const page of pages) expect(page.records).toBeGreaterThan(0);
    }),
    { numRuns: 80 },
  );
});

it('3: any page is a place to go on from, with exactly the rest', async () => {
  await fc.assert(
    fc.asyncProperty(shape, options, options, fc.nat(), async (drawn, given, later, chosen) => {
      const { feed, chunks } = draw(drawn);
      for (const { path, bytes } of chunks) feed.append(path, bytes);
      const { pages } = await drainFeed(newReader(feed, given));
      const taken = pages.slice(0, chosen % (pages.length + 1));
      const shards = Object.fromEntries(taken.map(({ shard, to }) => [shard, to]));
      const rest = await drainFeed(newReader(feed, later), { segment: feed.manifest(0), shards });
      expect(namesOf([...taken, ...rest.pages])).toEqual(expectedOf(chunks));
    }),
    { numRuns: 80 },
  );
});
