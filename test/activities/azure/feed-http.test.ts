import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from './drain-feed.ts';
import { type HttpFault, HttpFeed } from './http-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';
import { StallTimers } from './stall-timers.ts';

const signal = new AbortController().signal;
const blobs = (from: number, count: number) => Array.from({ length: count }, (_, at) => feedRecord(from + at));
const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `blob-${from + at}`);

function feedOf(count: number): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  feed.append(`${feed.shard(0)}00000.avro`, avroHeader(), avroBlock(blobs(1, count)));
  return feed;
}

/** The fault for the first request of each path, so that every kind of request meets it. */
function once(fault: HttpFault): HttpFeed['fault'] {
  const met = new Set<string>();
  return ({ path }) => {
    if (met.has(path)) return undefined;
    met.add(path);
    return fault;
  };
}

describe('the feed over a network that fails', () => {
  it.each([
    [{ status: 429, code: 'TooManyRequests' }, 'throttled'],
    [{ status: 503, code: 'ServerBusy', headers: { 'retry-after': '0' } }, 'throttled'],
    [{ status: 500, code: 'InternalError' }, 'server'],
    [{ status: 500, code: 'OperationTimedOut' }, 'server'],
    [{ status: 408, code: 'RequestTimeout' }, 'server'],
    [{ status: 409, code: 'BlobImmutableDueToPolicy' }, 'conflict'],
    [{ status: 412, code: 'ConditionNotMet' }, 'conflict'],
    ['hang-up', 'cut'],
  ] as const)('9: is read whole through %j on every kind of request, each counted as %s', async (fault, cause) => {
    await using http = await HttpFeed.open(feedOf(3));
    http.fault = once(fault);
    const { names: read } = await drainFeed(new FeedReader(http.store(), { source: 'feed' }));
    expect(read).toEqual(names(1, 3));
    // segments.json, the manifest, the chunk, and the first listing.
    expect(http.causes).toEqual([cause, cause, cause, cause]);
  });

  it('9: is read whole where a connection is silent, before the answer and in the middle of it', async () => {
    for (const fault of ['silence', { stallAfter: 10 }] as const) {
      using timers = new StallTimers(200);
      await using http = await HttpFeed.open(feedOf(3));
      const meets = once(fault);
      http.fault = (request) => {
        const met = request.path.endsWith('.avro') ? meets?.(request) : undefined;
        if (met !== undefined) {
          const silent = fault === 'silence' ? setImmediate() : timers.refreshed();
          silent.then(() => timers.pass(200));
        }
        return met;
      };
      const { names: read } = await drainFeed(new FeedReader(http.store({ stallMs: 200 }), { source: 'feed' }));
      expect(read).toEqual(names(1, 3));
      expect(http.causes).toEqual(['stalled']);
      expect(timers.standing).toBe(0);
    }
  });

  it('9: is waited for while its bytes come slowly, but come', async () => {
    using timers = new StallTimers(300);
    await using http = await HttpFeed.open(feedOf(3));
    let passed = 0;
    const eachPart = async () => {
      await timers.refreshed();
      timers.pass(299);
      passed += 299;
    };
    http.fault = ({ path }) => (path.endsWith('.avro') ? { eachPart } : undefined);
    const { names: read } = await drainFeed(new FeedReader(http.store({ stallMs: 300 }), { source: 'feed' }));
    expect(read).toEqual(names(1, 3));
    expect(http.causes).toEqual([]);
    expect(passed).toBeGreaterThan(2_000);
    expect(timers.standing).toBe(0);
  });

  it('9: is read whole where the download is cut at any byte of a block', async () => {
    const feed = feedOf(1);
    const path = `${feed.shard(0)}00000.avro`;
    const header = avroHeader().length;
    const block = feed.files.get(path)?.subarray(header) ?? Buffer.alloc(0);
    await using http = await HttpFeed.open(feed);
    const store = http.store();
    for (let cutAfter = 0; cutAfter < block.length; cutAfter++) {
      const before = http.requests.length;
      http.fault = ({ number }) => (number === before + 1 ? { cutAfter } : undefined);
      const answer = await store.readRange(path, header, 1_000_000, {}, signal);
      const read = typeof answer === 'object' ? Buffer.from(answer.bytes) : undefined;
      expect(read?.equals(block), `cut after ${cutAfter} bytes`).toBe(true);
      expect(http.requests.length).toBe(before + 2);
    }
    expect(new Set(http.causes)).toEqual(new Set(['cut']));
  });

  it('gives up after a few attempts, with a failure that a loop tries again', async () => {
    await using http = await HttpFeed.open(feedOf(1));
    http.fault = () => ({ status: 503, code: 'ServerBusy' });
    await expect(http.store().readText('meta/segments.json', {}, signal)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message: expect.stringContaining('ServerBusy'),
    });
    expect(http.requests).toHaveLength(6);
    http.fault = () => 'silence';
    await expect(http.store({ stallMs: 20 }).readText('meta/segments.json', {}, signal)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
      message: expect.stringContaining('nothing came for 20 ms'),
    });
  });

  it('waits as long as the server asks, and no longer than a turn can', async () => {
    await using http = await HttpFeed.open(feedOf(1));
    http.fault = once({ status: 503, code: 'ServerBusy', headers: { 'retry-after': '1' } });
    const begun = performance.now();
    await http.store().readText('meta/segments.json', {}, signal);
    expect(performance.now() - begun).toBeGreaterThan(990);
    http.fault = () => ({ status: 429, code: 'TooManyRequests', headers: { 'retry-after': '3600' } });
    await expect(http.store().readText('meta/segments.json', {}, signal)).rejects.toMatchObject({
      code: 'ISTHMUS_SOURCE_UNAVAILABLE',
    });
  });

  it('ends a wait at once when it is aborted', async () => {
    await using http = await HttpFeed.open(feedOf(1));
    http.fault = () => 'silence';
    const reading = http.store({ stallMs: 60_000 }).readText('meta/segments.json', {}, AbortSignal.timeout(50));
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('an account that has no feed for us', () => {
  it.each([
    [{ status: 404, code: 'ContainerNotFound' }, false, 'not-enabled'],
    [{ status: 404, code: 'ContainerNotFound' }, true, 'hierarchical'],
    [{ status: 409, code: 'ContainerBeingDeleted' }, false, 'not-enabled'],
    [{ status: 403, code: 'AuthorizationPermissionMismatch' }, true, 'forbidden'],
    [{ status: 401, code: 'InvalidAuthenticationInfo' }, false, 'forbidden'],
  ] as const)('9: says so: %j, hierarchical %s, is %s', async (fault, hierarchical, why) => {
    await using http = await HttpFeed.open(feedOf(1));
    http.isHierarchical = hierarchical;
    http.fault = ({ path }) => (path === '?account' ? undefined : fault);
    const store = http.store();
    const unavailable = { code: 'ISTHMUS_FEED_UNAVAILABLE', why };
    await expect(drainFeed(new FeedReader(store, { source: 'feed' }))).rejects.toMatchObject(unavailable);
    await expect(store.list('', signal).next()).rejects.toMatchObject(unavailable);
    // The account is asked only where the container is missing.
    expect(http.requests.includes('?account')).toBe(why !== 'forbidden');
    expect(http.causes).toEqual([]);
  });

  it('9: is not enabled where the account does not say what it is', async () => {
    await using http = await HttpFeed.open(feedOf(1));
    http.fault = ({ path }) => (path === '?account' ? { status: 403 } : { status: 404, code: 'ContainerNotFound' });
    await expect(http.store().readText('meta/segments.json', {}, signal)).rejects.toMatchObject({ why: 'not-enabled' });
  });
});

describe('a poll of an account', () => {
  it('asks by ETag, takes 304 and 416 for nothing new, and fetches no byte twice', async () => {
    const feed = feedOf(2);
    const path = `${feed.shard(0)}00000.avro`;
    await using http = await HttpFeed.open(feed);
    const store = http.store();
    const reader = new FeedReader(store, { source: 'feed' });
    const first = await drainFeed(reader);
    await drainFeed(reader, first.cursor);
    http.requests.length = 0;
    const statuses: number[] = [];
    http.onAnswer = (status) => statuses.push(status);
    expect((await drainFeed(reader, first.cursor)).names).toEqual([]);
    expect(http.requests).toEqual(['meta/segments.json', path]);
    expect(statuses).toEqual([304, 304]);

    statuses.length = 0;
    expect((await drainFeed(new FeedReader(store, { source: 'feed' }), first.cursor)).names).toEqual([]);
    expect(statuses).toEqual([200, 200, 200, 200, 416]);

    feed.append(path, avroBlock(blobs(3, 2)));
    expect((await drainFeed(reader, first.cursor)).names).toEqual(names(3, 2));
    expect(await store.readText('meta/segments.json', { ifNoneMatch: feed.etagOf('meta/segments.json') }, signal)).toBe(
      'unchanged',
    );
  });
});
