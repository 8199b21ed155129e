import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import { readSources } from '../../../schema/index/sources.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import { idleClock } from '../../support/idle-clock.ts';
import { testIndex } from '../../support/postgres.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';
import { runActivity, testServices } from '../test-services.ts';
import { feedOf, inPasses } from './feed-of.ts';

describe('the feed tail', () => {
  it('applies what is there, then what comes, and a new worker goes on from the cursor', async () => {
    await using db = await testIndex();
    const feed = feedOf(3, 100);
    let polls = 0;
    const clock = idleClock(() => {
      if (++polls === 3) feed.append(`${feed.shard(0)}00000.avro`, avroBlock([feedRecord(301)]));
    });
    const services = await testServices(db.index, { feed, clock });
    const { tailFeed } = feedActivities(services);
    expect(await runActivity(() => tailFeed({ seconds: 3 }))).toMatchObject({
      state: 'tailing',
      records: 301,
      applied: 301,
      superseded: 0,
      caughtUp: true,
    });
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 301 });

    const next = feedActivities(inPasses(services));
    expect(await runActivity(() => next.tailFeed({ seconds: 60 }))).toMatchObject({
      ...{ records: 0, caughtUp: true, lagSeconds: 0, segment: feed.manifest(0) },
      shards: [{ shard: feed.shard(0), chunk: `${feed.shard(0)}00000.avro`, offset: expect.any(Number) }],
    });
    const [source] = await readSources(db.index.db, services.account.id);
    expect(source).toMatchObject({ source: 'feed', state: 'tailing', detail: { caughtUp: true } });
    expect(source?.applied).toBe(source?.head);
  });

  it('reads several shards side by side, and begins a segment only when the one before is wholly committed', async () => {
    await using db = await testIndex();
    const feed = new MemoryFeed();
    const shards = ['00', '01', '02', '03', '04', '05'];
    feed.segment(0, 'Finalized', shards);
    feed.segment(60, 'Publishing', shards);
    for (const minute of [0, 60]) {
      for (const shard of shards) {
        const name = (index: number) => `${shard}/${index}`;
        const record = (index: number) => feedRecord(1 + minute + index, name(index));
        feed.append(
          `${feed.shard(minute, shard)}00000.avro`,
          avroHeader(),
          avroBlock(Array.from({ length: 50 }, (_, index) => record(index))),
        );
      }
    }
    const services = await testServices(db.index, { feed });
    const turn = await runActivity(() => feedActivities(inPasses(services)).tailFeed({ seconds: 60 }));
    expect(turn).toMatchObject({ records: 600, applied: 600, caughtUp: true, segment: feed.manifest(60) });
    const cursor = await readCursor(db.index.db, services.account.id);
    expect(cursor?.segment).toBe(feed.manifest(60));
    expect(Object.keys(cursor?.shards ?? {})).toEqual(shards.map((shard) => feed.shard(60, shard)));
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 300 });
  });

  it('3: attempts at once move the cursor over every page exactly once', async () => {
    await using db = await testIndex();
    const feed = feedOf(150, 100);
    const services = await testServices(db.index, { feed });
    const one = feedActivities(inPasses(services));
    // Two workers, and two overlapping attempts on one of them.
    const attempts = [one, one, feedActivities(inPasses(services))];
    let applied = 0;
    for (let caughtUp = false; !caughtUp; ) {
      const turns = await Promise.all(attempts.map(({ tailFeed }) => runActivity(() => tailFeed({ seconds: 60 }))));
      applied += turns.reduce((sum, turn) => sum + turn.applied, 0);
      expect(turns.map((turn) => turn.superseded)).toEqual([0, 0, 0]);
      caughtUp = turns.some((turn) => turn.caughtUp);
    }
    expect(applied).toBe(15_000);
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 15_000 });
    expect(await readCursor(db.index.db, services.account.id)).toMatchObject({
      ...{ version: 1, shards: { [feed.shard(0)]: { version: 3 } } },
    });
  });

  it('3: an attempt that overlaps one on the same worker reads by itself', async () => {
    await using db = await testIndex();
    const feed = feedOf(1, 10);
    const chunk = `${feed.shard(0)}00000.avro`;
    const services = await testServices(db.index, { feed });
    const { tailFeed } = feedActivities(inPasses(services));
    await runActivity(() => tailFeed({ seconds: 60 }));
    feed.append(chunk, avroBlock(Array.from({ length: 10 }, (_, at) => feedRecord(11 + at))));
    // Both have asked for the new bytes before either has them.
    const both = Promise.withResolvers<void>();
    let asking = 0;
    feed.onAsk = (asked) => {
      if (!asked.startsWith('range')) return undefined;
      if (++asking === 2) both.resolve();
      return both.promise;
    };
    const turns = await Promise.all([1, 2].map(() => runActivity(() => tailFeed({ seconds: 60 }))));
    expect(turns.map(({ state }) => state)).toEqual(['tailing', 'tailing']);
    expect(turns.map(({ records }) => records).sort()).toEqual([0, 10]);
    const cursor = await readCursor(db.index.db, services.account.id);
    expect(cursor?.shards[feed.shard(0)]).toMatchObject({ chunk, offset: feed.files.get(chunk)?.length });
  });

  it('says that there is no feed, and why', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, { feed: new MemoryFeed() });
    const turn = await runActivity(() => feedActivities(services).tailFeed({ seconds: 5 }));
    expect(turn).toMatchObject({ state: 'no-feed', reason: 'no feed', records: 0 });
    expect(await readSources(db.index.db, services.account.id)).toMatchObject([
      { state: 'no-feed', detail: { why: 'not-enabled' } },
    ]);
  });

  it('leaves the feed alone between polls that are far apart, so that it can be woken', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, { feed: feedOf(1, 1) });
    const { tailFeed } = feedActivities(inPasses(services));
    expect(await runActivity(() => tailFeed({ seconds: 60 }))).toMatchObject({
      ...{ records: 1, restSeconds: 30, caughtUp: true },
    });
  });

  it('ends soon after it is asked to', async () => {
    await using db = await testIndex();
    const feed = feedOf(1, 1);
    const services = await testServices(db.index, { feed });
    // While it rests between two polls, for a time that would outlast the test.
    const resting = Promise.withResolvers<void>();
    let asked = 0;
    const sleep: Clock['sleep'] = (_, signal) => {
      asked = feed.asked.length;
      resting.resolve();
      return services.clock.sleep(3_600_000, signal);
    };
    const { tailFeed } = feedActivities({ ...services, clock: { ...services.clock, sleep } });
    expect(await runActivity(() => tailFeed({ seconds: 30 }), resting.promise)).toMatchObject({ applied: 1 });
    expect(feed.asked).toHaveLength(asked);
  });
});
