import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import type { Services } from '../../../activities/services.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import { readGaps } from '../../../schema/index/feed-gaps.ts';
import { readSkips } from '../../../schema/index/feed-skips.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import type { RewindInput, SkipInput } from '../../../schema/inputs/activities.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';
import { inPasses, KnownFeed, knownFeed, namesInIndex, tailToEnd } from './feed-of.ts';

const HOUR = Date.UTC(2026, 0, 1, 1);

function rewind(services: Services, input: RewindInput) {
  return runActivity(() => feedActivities(services).rewindFeed(input));
}

function skip(services: Services, input: SkipInput) {
  return runActivity(() => feedActivities(services).skipFeedBlock(input));
}

describe('a rewind', () => {
  it('1: of an hour reads everything since again and changes nothing', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const base = await testServices(db.index, { feed });
    const services = { ...base, clock: { ...base.clock, now: () => HOUR + 30 * 60_000 } };
    const { id } = services.account;
    await tailToEnd(services);
    const before = await storedEntries(db.index, id);
    expect(await rewind(services, { seconds: 3_600, reason: 'a rule was wrong' })).toEqual({
      segment: feed.manifest(0),
    });
    expect(await readCursor(db.index.db, id)).toMatchObject({ segment: feed.manifest(0), shards: {} });
    expect(await tailToEnd(services)).toMatchObject([{ records: 48, applied: 0, superseded: 48, caughtUp: true }]);
    expect(await storedEntries(db.index, id)).toEqual(before);
    expect(await recentJournal(db.index.db, id, { limit: 1 })).toMatchObject([
      { kind: 'feed-rewound', detail: { reason: 'a rule was wrong', to: { segment: feed.manifest(0) } } },
    ]);
    expect(await readGaps(db.index.db, id, { limit: 1 })).toEqual([]);
    expect(await rewind(services, { to: '2026-01-01T01:20:00Z', reason: 'once more' })).toEqual({
      segment: feed.manifest(60),
    });
    expect(await tailToEnd(services)).toMatchObject([{ records: 24, applied: 0, superseded: 24 }]);
    // A record may stand in the segment before the one of its time.
    expect(await rewind(services, { to: '2026-01-01T01:10:00Z', reason: 'a little more' })).toEqual({
      segment: feed.manifest(0),
    });
  });

  it('3: while a turn is under way makes it end without effect, and the next reads from there', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing', ['00', '01']);
    for (const shard of ['00', '01']) {
      for (let block = 0; block < 60; block++) feed.grow(`${feed.shard(0, shard)}00000.avro`, 5);
    }
    const services = await testServices(db.index, { feed });
    let pages = 0;
    const rules = async () => {
      // Other pages are under way meanwhile.
      if (++pages === 20) await rewind(services, { to: '2026-01-01T00:00:00Z', reason: 'a test' });
      return await services.rules();
    };
    const { tailFeed } = feedActivities(inPasses({ ...services, rules }), { pageRecords: 5 });
    const { applied, caughtUp } = await runActivity(() => tailFeed({ seconds: 60 }));
    expect(caughtUp).toBe(false);
    expect(applied).toBeGreaterThan(50);
    expect(applied).toBe((await namesInIndex(db.index, services.account.id)).length);
    const turns = await tailToEnd(services, { pageRecords: 50 });
    expect(turns.at(-1)).toMatchObject({ records: 600, applied: 600 - applied, superseded: applied });
    expect(await namesInIndex(db.index, services.account.id)).toEqual(feed.names);
  });

  it('9: to a place further on leaves records out, so that it is a gap', async () => {
    await using db = await testIndex();
    const feed = knownFeed();
    const asked: unknown[] = [];
    const services = await testServices(db.index, { feed, requestReconcile: async (input) => void asked.push(input) });
    const { id } = services.account;
    await tailToEnd(services);
    await rewind(services, { cursor: { segment: feed.manifest(0) }, reason: 'back' });
    expect(asked).toEqual([]);
    const chunk = `${feed.shard(0)}00000.avro`;
    const shards = { [feed.shard(0)]: { chunk, offset: feed.files.get(chunk)?.length ?? 0, index: 0 } };
    await rewind(services, { cursor: { segment: feed.manifest(0), shards }, reason: 'past the first shard' });
    await rewind(services, { cursor: { segment: feed.manifest(60) }, reason: 'past the segment' });
    expect(await readGaps(db.index.db, id, { limit: 5 })).toMatchObject([
      { missing: feed.manifest(0), detail: { reason: 'past the segment' } },
      { missing: feed.manifest(0), detail: { reason: 'past the first shard' } },
    ]);
    expect(asked).toEqual([{ judge: 'listing' }, { judge: 'listing' }]);
  });

  it.each<[string, (feed: KnownFeed) => Omit<RewindInput, 'reason'>, string]>([
    ['a time that is none', () => ({ to: 'noon' }), 'needs a time'],
    ['a path that is no segment', () => ({ cursor: { segment: 'meta.json' } }), 'no manifest of a segment'],
    ['a segment that is not there', (feed) => ({ cursor: { segment: feed.manifest(7) } }), 'has no segment'],
    [
      'a shard that is not there',
      (feed) => ({ cursor: { segment: feed.manifest(0), shards: { 'log/99/': { chunk: 'x', offset: 0, index: 0 } } } }),
      'has no shard log/99/; it has log/00/2026/01/01/0000/',
    ],
    [
      'a byte that is not there',
      (feed) => ({
        cursor: {
          segment: feed.manifest(0),
          shards: { [feed.shard(0)]: { chunk: `${feed.shard(0)}00000.avro`, offset: 1e9, index: 0 } },
        },
      }),
      'nothing is at 1000000000',
    ],
  ])('to %s is refused, and the cursor stays', async (_, target, message) => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    await tailToEnd(services);
    const before = await readCursor(db.index.db, services.account.id);
    await expect(rewind(services, { ...target(feed), reason: 'a test' })).rejects.toThrow(message);
    expect(await readCursor(db.index.db, services.account.id)).toEqual(before);
  });
});

describe('a skip', () => {
  async function stopped() {
    const db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing', ['00', '01']);
    const chunk = `${feed.shard(0)}00000.avro`;
    const good = feed.grow(chunk, 3);
    const bad = feed.grow(chunk, 3);
    const after = feed.grow(chunk, 3);
    feed.grow(`${feed.shard(0, '01')}00000.avro`, 3);
    feed.files.get(chunk)?.fill(0xff, bad + 20, bad + 60);
    const asked: unknown[] = [];
    const services = await testServices(db.index, { feed, requestReconcile: async (input) => void asked.push(input) });
    expect(await tailToEnd(services)).toMatchObject([{ state: 'corrupt', corrupt: { chunk, offset: bad } }]);
    return {
      db,
      feed,
      chunk,
      good,
      bad,
      after,
      asked,
      services,
      [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
    };
  }

  it('9: past the block that stops the feed goes on with the next whole one, and is a gap', async () => {
    await using at = await stopped();
    const { chunk, bad, after, db, feed, services } = at;
    const { id } = services.account;
    expect(await skip(services, { chunk, offset: bad, reason: 'a disk' })).toEqual({ from: bad, to: after });
    expect(await readSkips(db.index.db, id, 5)).toMatchObject([{ chunk, from: bad, to: after, reason: 'a disk' }]);
    expect(await readGaps(db.index.db, id, { limit: 5 })).toMatchObject([
      {
        missing: chunk,
        detail: { skipped: { from: bad, to: after }, reason: 'a disk' },
        requestedAt: expect.any(Number),
      },
    ]);
    expect(await recentJournal(db.index.db, id, { limit: 1 })).toMatchObject([{ kind: 'feed-skipped' }]);
    expect(at.asked).toEqual([{ judge: 'listing' }]);
    // Asked for again by an attempt that never heard that it was done.
    expect(await skip(services, { chunk, offset: bad, reason: 'a disk' })).toEqual({ from: bad, to: after });
    expect(await readSkips(db.index.db, id, 5)).toHaveLength(1);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 3, applied: 3, caughtUp: true }]);
    const lost = new Set(['blob-4', 'blob-5', 'blob-6']);
    expect(await namesInIndex(db.index, id)).toEqual(feed.names.filter((name) => !lost.has(name)));
  });

  it('9: of anything else than the block that stops the feed is refused, and the cursor stays', async () => {
    await using at = await stopped();
    const { chunk, bad, good, after, db, feed, services } = at;
    const before = await readCursor(db.index.db, services.account.id);
    const other = `${feed.shard(0, '01')}00000.avro`;
    for (const [path, offset] of [
      [chunk, good],
      [chunk, after],
      [chunk, bad + 1],
      [other, 0],
      ['log/x/1.avro', 0],
    ] as const) {
      const skipping = skip(services, { chunk: path, offset, reason: 'a slip of the pen' });
      await expect(skipping).rejects.toThrow('is not left out');
    }
    const end = feed.files.get(other)?.length ?? 0;
    const skipping = skip(services, { chunk: other, offset: end, reason: 'too soon' });
    await expect(skipping).rejects.toThrow('nothing is damaged there');
    expect(await readCursor(db.index.db, services.account.id)).toEqual(before);
    expect(await readSkips(db.index.db, services.account.id, 5)).toEqual([]);
  });

  it('9: of a block that is whole, or not all there yet, is refused, though the shard stands at it', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    const chunk = `${feed.shard(0)}00000.avro`;
    feed.grow(chunk, 3);
    const services = await testServices(db.index, { feed });
    await tailToEnd(services);
    const before = await readCursor(db.index.db, services.account.id);
    const offset = feed.grow(chunk, 3);
    const whole = feed.files.get(chunk) ?? Buffer.alloc(0);
    for (const file of [whole, whole.subarray(0, whole.length - 30), whole.subarray(0, offset)]) {
      feed.files.set(chunk, file);
      const skipping = skip(services, { chunk, offset, reason: 'a slip of the pen' });
      await expect(skipping).rejects.toThrow('nothing is damaged there');
    }
    expect(await readCursor(db.index.db, services.account.id)).toEqual(before);
    expect(await readSkips(db.index.db, services.account.id, 5)).toEqual([]);
  });

  it('3: is refused where the feed is rewound while the block is looked at, and leaves the rewind as it is', async () => {
    await using at = await stopped();
    const { chunk, bad, db, feed, services } = at;
    feed.onAsk = async (asked) => {
      if (!asked.startsWith('range')) return;
      feed.onAsk = undefined;
      await rewind(services, { to: '2026-01-01T00:00:00Z', reason: 'a test' });
    };
    const skipping = skip(services, { chunk, offset: bad, reason: 'a disk' });
    await expect(skipping).rejects.toThrow('the feed has moved meanwhile');
    expect(await readCursor(db.index.db, services.account.id)).toMatchObject({ segment: feed.manifest(0), shards: {} });
    expect(await readSkips(db.index.db, services.account.id, 5)).toEqual([]);
  });

  it('9: of a chunk whose header is damaged goes on with the next chunk', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    const [first, second] = [`${feed.shard(0)}00000.avro`, `${feed.shard(0)}00001.avro`];
    feed.grow(first, 3);
    feed.grow(second, 3);
    feed.files.get(first)?.fill(0xff, 0, 40);
    const services = await testServices(db.index, { feed });
    expect(await tailToEnd(services)).toMatchObject([{ state: 'corrupt', corrupt: { chunk: first, offset: 0 } }]);
    await skip(services, { chunk: first, offset: 0, reason: 'a disk' });
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 3, applied: 3 }]);
    expect(await namesInIndex(db.index, services.account.id)).toEqual(feed.namesTo(second));
  });

  it('9: holds for whoever reads there again: a rewind, and a replay', async () => {
    await using at = await stopped();
    const { chunk, bad, db, services } = at;
    const { id } = services.account;
    await skip(services, { chunk, offset: bad, reason: 'a disk' });
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', caughtUp: true }]);
    const before = await storedEntries(db.index, id);
    await rewind(services, { to: '2026-01-01T00:00:00Z', reason: 'a test' });
    expect(await tailToEnd(services)).toMatchObject([
      { state: 'tailing', records: 9, applied: 0, superseded: 9, caughtUp: true },
    ]);
    const { replayFeed } = feedActivities(services);
    expect(await runActivity(() => replayFeed({ seconds: 60 }))).toMatchObject({ done: true, records: 9, applied: 0 });
    expect(await storedEntries(db.index, id)).toEqual(before);
    expect(await readSkips(db.index.db, id, 5)).toHaveLength(1);
  });

  it('9: of what a finished chunk ends with, half a block, goes on with the next chunk, and again after a rewind', async () => {
    await using db = await testIndex();
    const feed = new KnownFeed();
    feed.segment(0, 'Publishing');
    const [first, second, third] = [0, 1, 2].map((number) => `${feed.shard(0)}0000${number}.avro`) as [
      string,
      string,
      string,
    ];
    feed.grow(first, 3);
    feed.grow(second, 3);
    feed.grow(third, 3);
    const whole = feed.files.get(second) ?? Buffer.alloc(0);
    feed.files.set(second, whole.subarray(0, whole.length - 30));
    const base = await testServices(db.index, { feed });
    let now = Date.now();
    const services = { ...base, clock: { ...base.clock, now: () => now } };
    const { tailFeed } = feedActivities(inPasses(services));
    const pass = () => runActivity(() => tailFeed({ seconds: 60 }));
    expect(await pass()).toMatchObject({ state: 'tailing', records: 3, caughtUp: false });
    now += 31_000;
    expect(await pass()).toMatchObject({ state: 'corrupt', corrupt: { chunk: second, offset: 0 } });
    await skip(services, { chunk: second, offset: 0, reason: 'a disk' });
    expect(await pass()).toMatchObject({ state: 'tailing', records: 3, caughtUp: true });
    await rewind(services, { to: '2026-01-01T00:00:00Z', reason: 'a test' });
    expect(await pass()).toMatchObject({ state: 'tailing', records: 6, applied: 0, caughtUp: true });
    expect(await namesInIndex(db.index, services.account.id)).toEqual(
      [...feed.namesTo(first), ...feed.namesTo(third)].sort(),
    );
  });

  it.each(['{', ''])('9: of a manifest that cannot be read (%j) leaves its segment out, and is a gap', async (text) => {
    await using db = await testIndex();
    const feed = knownFeed();
    const services = await testServices(db.index, { feed });
    const { id } = services.account;
    await tailToEnd(services);
    feed.segment(60, 'Finalized', ['00', '01']);
    const bad = feed.manifest(120);
    feed.files.set(bad, Buffer.from(text));
    feed.segment(180, 'Publishing');
    feed.grow(`${feed.shard(180)}00000.avro`, 3);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'corrupt', corrupt: { chunk: bad, offset: 0 } }]);
    for (const slip of [feed.manifest(60), feed.manifest(180), feed.manifest(240)]) {
      await expect(skip(services, { chunk: slip, offset: 0, reason: 'a slip' })).rejects.toThrow('is not left out');
    }
    await skip(services, { chunk: bad, offset: 0, reason: 'a disk' });
    expect(await readSkips(db.index.db, id, 5)).toMatchObject([{ chunk: bad, from: 0, to: 1 }]);
    expect(await readGaps(db.index.db, id, { limit: 5 })).toMatchObject([{ missing: bad }]);
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 3, segment: feed.manifest(180) }]);
    // Whoever reads there again leaves it out as well.
    await rewind(services, { to: '2026-01-01T00:00:00Z', reason: 'a test' });
    expect(await tailToEnd(services)).toMatchObject([{ state: 'tailing', records: 51, segment: feed.manifest(180) }]);
  });
});
