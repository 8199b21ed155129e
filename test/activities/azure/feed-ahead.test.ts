import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FeedPage } from '../../../activities/azure/feed-page.ts';
import { FeedReader, type FeedReaderOptions } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';

const blobs = (from: number, count: number) => Array.from({ length: count }, (_, at) => feedRecord(from + at));
const newReader = (feed: MemoryFeed, options: Partial<FeedReaderOptions>) =>
  new FeedReader(feed, { source: 'feed', ...options });

/** One open segment of so many shards, with blocks of 10 blobs each. */
function feedOf(shards: number, blocks: number): MemoryFeed {
  const feed = new MemoryFeed();
  const numbers = Array.from({ length: shards }, (_, at) => String(at).padStart(2, '0'));
  feed.segment(0, 'Publishing', numbers);
  for (const [at, shard] of numbers.entries()) {
    const each = Array.from({ length: blocks }, (_, block) => avroBlock(blobs((at * blocks + block) * 10, 10)));
    feed.append(`${feed.shard(0, shard)}00000.avro`, avroHeader(), ...each);
  }
  return feed;
}

/** Segments a quarter of an hour long, in these states, with a blob each. */
function segmentsOf(states: readonly string[]): MemoryFeed {
  const feed = new MemoryFeed();
  const numbers = [0, 10, 30];
  for (const [at, state] of states.entries()) {
    feed.segment(15 * at, state);
    feed.append(`${feed.shard(15 * at)}00000.avro`, avroHeader(), avroBlock(blobs(numbers[at] ?? 0, 1)));
  }
  return feed;
}

const first = (feed: MemoryFeed) => `${feed.shard(0)}00000.avro`;

describe('reading ahead', () => {
  it('8: asks ahead for no more bytes than its budget has, however many shards are read at once', async () => {
    const feed = feedOf(100, 20);
    const chunk = feed.files.get(first(feed))?.length ?? 0;
    const sliceBytes = Math.ceil(chunk / 8);
    feed.onAsk = () => sleep(1);
    const budgetBytes = 40 * sliceBytes;
    const { names } = await drainFeed(newReader(feed, { sliceBytes, budgetBytes }), undefined, { lanes: 100 });
    expect(new Set(names).size).toBe(100 * 20 * 10);
    // A shard that has nothing gets a slice in any case. Without a budget it would be three for each.
    expect(feed.mostUnderWay).toBeLessThanOrEqual(budgetBytes + 100 * sliceBytes);
    expect(feed.underWay).toBe(0);
  });

  it('8: goes on without a budget, one slice at a time', async () => {
    const feed = feedOf(3, 20);
    const chunk = feed.files.get(first(feed))?.length ?? 0;
    const sliceBytes = Math.ceil(chunk / 8);
    feed.onAsk = () => sleep(1);
    const { names } = await drainFeed(newReader(feed, { sliceBytes, budgetBytes: 0 }), undefined, { lanes: 3 });
    expect(new Set(names).size).toBe(3 * 20 * 10);
    expect(feed.mostUnderWay).toBeLessThanOrEqual(3 * sliceBytes);
  });

  it('has the next slices under way while one is decoded, and a page ready when the next is asked for', async () => {
    const feed = feedOf(1, 20);
    const chunk = feed.files.get(first(feed))?.length ?? 0;
    const sliceBytes = Math.ceil(chunk / 8);
    feed.onAsk = () => sleep(1);
    const reader = newReader(feed, { sliceBytes, pageRecords: 10 });
    const segments = reader.segments(undefined, new AbortController().signal);
    const segment = await segments.next();
    if (segment.done === true) throw new Error('no segment');
    const pages = segment.value.shards[0]?.pages(new AbortController().signal);
    await pages?.next();
    expect(feed.mostUnderWay).toBeGreaterThanOrEqual(2 * sliceBytes);
    await expect.poll(() => feed.underWay).toBe(0);
    const asked = feed.asked.length;
    // Ready: nothing is waited for but the turn of the event loop.
    feed.onAsk = () => new Promise(() => {});
    expect((await pages?.next())?.value).toMatchObject({ records: 10 });
    expect(feed.asked.length - asked).toBeLessThanOrEqual(2);
  });

  it('leaves nothing under way when a consumer stops early, and reads the rest later', async () => {
    const feed = feedOf(1, 20);
    const sliceBytes = Math.ceil((feed.files.get(first(feed))?.length ?? 0) / 8);
    // The first slice comes at once, those ahead of it later.
    feed.onAsk = () => (feed.asked.filter((asked) => asked.startsWith('range')).length > 1 ? sleep(200) : undefined);
    const reader = newReader(feed, { sliceBytes, pageRecords: 10 });
    const signal = new AbortController().signal;
    const segments = reader.segments(undefined, signal);
    const segment = await segments.next();
    if (segment.done === true) throw new Error('no segment');
    let page: FeedPage | undefined;
    for await (page of segment.value.shards[0]?.pages(signal) ?? []) break;
    await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
    expect(feed.underWay).toBe(0);
    if (page === undefined) throw new Error('no page');
    const rest = await drainFeed(reader, { segment: page.segment, shards: { [page.shard]: page.to } });
    expect([...page.events.map(({ name }) => name), ...rest.names]).toHaveLength(200);
  });

  it('8: gives its budget back as it decodes, so that it still reads ahead at the end of a long chunk', async () => {
    const feed = feedOf(1, 200);
    const sliceBytes = Math.ceil((feed.files.get(first(feed))?.length ?? 0) / 16);
    const underWay: number[] = [];
    feed.onAsk = async (asked) => {
      if (asked.startsWith('range')) underWay.push(feed.underWay);
      await sleep(1);
    };
    const { names } = await drainFeed(newReader(feed, { sliceBytes, budgetBytes: 3 * sliceBytes }));
    expect(names).toHaveLength(2_000);
    expect(underWay.length).toBeGreaterThanOrEqual(16);
    expect(Math.max(...underWay.slice(8))).toBeGreaterThan(sliceBytes);
  });

  it('fetches every byte once, in slices that are longer than many blocks', async () => {
    const feed = feedOf(1, 400);
    const chunk = feed.files.get(first(feed))?.length ?? 0;
    for (const sliceBytes of [150_000, 200_000, chunk]) {
      feed.ranges.length = 0;
      const { names } = await drainFeed(newReader(feed, { sliceBytes }));
      expect(names).toEqual(Array.from({ length: 4_000 }, (_, at) => `blob-${at}`));
      expect(feed.ranges.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(chunk);
    }
  });

  it('ends at once when it is aborted in the middle of a download', async () => {
    const feed = feedOf(2, 20);
    const abort = new AbortController();
    feed.onAsk = (asked) => {
      if (!asked.startsWith('range')) return;
      abort.abort();
      throw abort.signal.reason;
    };
    await expect(drainFeed(newReader(feed, {}), undefined, { signal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(feed.underWay).toBe(0);
  });

  it('3: gives the pages before a failed download, and the rest to a new call with their cursor', async () => {
    for (let moment = 3; moment < 14; moment++) {
      const feed = feedOf(1, 20);
      const sliceBytes = Math.ceil((feed.files.get(first(feed))?.length ?? 0) / 8);
      feed.onAsk = (_asked, asks) => {
        if (asks === moment) throw Object.assign(new Error('no answer'), { code: 'ECONNRESET' });
      };
      const reader = newReader(feed, { sliceBytes, pageRecords: 30 });
      const pages: FeedPage[] = [];
      await drainFeed(reader, undefined, { pages }).catch((error: Error) => expect(error.message).toBe('no answer'));
      feed.onAsk = undefined;
      const last = pages.at(-1);
      const cursor = last && { segment: last.segment, shards: { [last.shard]: last.to } };
      await drainFeed(reader, cursor, { pages });
      const names = pages.flatMap(({ events }) => events.map(({ name }) => name));
      expect(names, `failed at request ${moment}`).toEqual(Array.from({ length: 200 }, (_, at) => `blob-${at}`));
    }
  });

  it('has the next segment opened while one is read, and not yet the open one', async () => {
    const feed = segmentsOf(['Finalized', 'Finalized', 'Publishing']);
    const signal = new AbortController().signal;
    const segments = newReader(feed, {}).segments(undefined, signal);
    const segment = await segments.next();
    await expect.poll(() => feed.asked).toContain(`list ${feed.shard(15)}`);
    expect(feed.asked).toContain(`text ${feed.manifest(15)}`);
    if (segment.done === true) throw new Error('no segment');
    for await (const _page of segment.value.shards[0]?.pages(signal) ?? []);
    await segments.next();
    await sleep(20);
    expect(feed.asked).not.toContain(`text ${feed.manifest(30)}`);
    await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
  });

  it('has the first pages of the next segment read when the last of one are taken, and ends them where it is left', async () => {
    for (const leave of ['before', 'asked', 'taken', 'never'] as const) {
      const feed = new MemoryFeed();
      const shards = ['00', '01'];
      for (const [at, state] of ['Finalized', 'Finalized', 'Publishing'].entries()) {
        feed.segment(15 * at, state, shards);
        for (const [nth, shard] of shards.entries()) {
          const blocks = [0, 1, 2].map((block) => avroBlock(blobs(at * 20 + nth * 10 + 3 * block, 3)));
          feed.append(`${feed.shard(15 * at, shard)}00000.avro`, avroHeader(), ...blocks);
        }
      }
      const next = shards.map((shard) => `range ${feed.shard(15, shard)}00000.avro`);
      feed.onAsk = () => sleep(2);
      const { signal } = new AbortController();
      const segments = newReader(feed, { pageRecords: 3, sliceBytes: 100 }).segments(undefined, signal);
      const one = (await segments.next()).value;
      if (one === undefined || !('shards' in one)) throw new Error('no segment');
      const names: string[] = [];
      const drain = async (shard: (typeof one.shards)[number] | undefined) => {
        for await (const { events } of shard?.pages(signal) ?? []) names.push(...events.map(({ name }) => name));
      };
      await drain(one.shards[0]);
      await expect.poll(() => feed.asked).toContain(next[0]);
      expect(feed.asked).not.toContain(next[1]);
      await drain(one.shards[1]);
      await expect.poll(() => feed.asked).toContain(next[1]);
      const end = { head: undefined, caughtUp: false, lastConsumable: undefined };
      if (leave !== 'before') {
        const two = (await segments.next()).value;
        if (two === undefined || !('shards' in two)) throw new Error('no segment');
        if (leave === 'asked') await two.shards[0]?.pages(signal).return('torn');
        if (leave === 'taken') {
          for await (const { events } of two.shards[0]?.pages(signal) ?? []) {
            expect(events.map(({ name }) => name)).toEqual(['blob-20', 'blob-21', 'blob-22']);
            break;
          }
        }
        if (leave === 'never') {
          await drain(two.shards[1]);
          await drain(two.shards[0]);
          expect(new Set(names).size).toBe(names.length);
          expect(names).toHaveLength(36);
        }
      }
      await segments.return(end);
      expect(feed.underWay, leave).toBe(0);
    }
  });

  it('9: reads a shard anew whose first page could not be read ahead, and ends at once where it is aborted meanwhile', async () => {
    for (const aborted of [false, true]) {
      const feed = segmentsOf(['Finalized', 'Finalized', 'Publishing']);
      const next = `range ${feed.shard(15)}00000.avro`;
      const failing = Promise.withResolvers<void>();
      let asked = 0;
      feed.onAsk = async (what) => {
        if (what !== next || asked++ > 0) return;
        await failing.promise;
        throw Object.assign(new Error('no answer'), { code: 'ECONNRESET' });
      };
      const abort = new AbortController();
      const segments = newReader(feed, {}).segments(undefined, new AbortController().signal);
      const names: string[] = [];
      const drain = async () => {
        const segment = (await segments.next()).value;
        if (segment === undefined || !('shards' in segment)) throw new Error('no segment');
        for await (const { events } of segment.shards[0]?.pages(abort.signal) ?? []) {
          names.push(...events.map(({ name }) => name));
        }
      };
      await drain();
      await expect.poll(() => asked).toBe(1);
      const second = drain();
      if (aborted) abort.abort();
      failing.resolve();
      if (aborted) await expect(second).rejects.toThrow();
      else await second;
      expect(names).toEqual(aborted ? ['blob-0'] : ['blob-0', 'blob-10']);
      await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
      expect(feed.underWay).toBe(0);
    }
  });

  it('begins no more of the next segment than its consumer reads at a time', async () => {
    const feed = new MemoryFeed();
    const shards = ['00', '01', '02'];
    for (const [at, state] of ['Finalized', 'Finalized', 'Publishing'].entries()) {
      feed.segment(15 * at, state, shards);
      for (const shard of shards) {
        feed.append(`${feed.shard(15 * at, shard)}00000.avro`, avroHeader(), avroBlock(blobs(0, 1)));
      }
    }
    const { signal } = new AbortController();
    const segments = newReader(feed, { lanes: 1 }).segments(undefined, signal);
    const segment = (await segments.next()).value;
    if (segment === undefined || !('shards' in segment)) throw new Error('no segment');
    const next = shards.map((shard) => `range ${feed.shard(15, shard)}00000.avro`);
    const begun = () => feed.asked.filter((asked) => next.includes(asked));
    for (const [at, shard] of segment.shards.entries()) {
      for await (const _page of shard.pages(signal));
      await sleep(5);
      expect(begun().length > 0).toBe(at === shards.length - 1);
    }
    expect(new Set(begun()).size).toBe(1);
    await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
  });

  it('9: takes nothing that was opened ahead for more than it was, nor a failure of it for one', async () => {
    const feed = segmentsOf(['Finalized', 'Not Finalized', 'Publishing']);
    let failed = false;
    feed.onAsk = (asked) => {
      // Between the look ahead and the reading, the second segment gets its last chunk.
      if (asked !== `range ${first(feed)}` || feed.files.has(`${feed.shard(15)}00001.avro`)) return;
      feed.append(`${feed.shard(15)}00001.avro`, avroHeader(), avroBlock(blobs(20, 2)));
      feed.segment(15, 'Finalized', ['00'], 30);
    };
    expect((await drainFeed(newReader(feed, {}))).names).toEqual([
      'blob-0',
      'blob-10',
      'blob-20',
      'blob-21',
      'blob-30',
    ]);
    feed.onAsk = (asked) => {
      if (failed || asked !== `list ${feed.shard(15)}`) return;
      failed = true;
      throw new Error('no answer');
    };
    expect((await drainFeed(newReader(feed, {}))).names).toHaveLength(5);
    expect(failed).toBe(true);
  });
});
