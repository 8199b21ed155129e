import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../activities/tail-feed.ts';
import { readCursor } from '../../schema/index/feed-cursors.ts';
import { countEntries } from '../../schema/index/queries.ts';
import { readSources } from '../../schema/index/sources.ts';
import { testIndex } from '../support/postgres.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './azure/memory-feed.ts';
import { runActivity, testServices } from './test-services.ts';

function feedOf(blocks: number, each: number): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  const records = (at: number) => Array.from({ length: each }, (_, index) => feedRecord(1 + at * each + index));
  feed.append(
    `${feed.shard(0)}00000.avro`,
    avroHeader(),
    ...Array.from({ length: blocks }, (_, at) => avroBlock(records(at))),
  );
  return feed;
}

describe('the feed tail', () => {
  it('applies what is there, then what comes, and a new worker goes on from the cursor', async () => {
    await using db = await testIndex();
    const feed = feedOf(3, 100);
    const services = await testServices(db.index, { feed });
    const { tailFeed } = feedActivities(services);
    const turn = runActivity(() => tailFeed({ seconds: 3 }));
    setTimeout(() => feed.append(`${feed.shard(0)}00000.avro`, avroBlock([feedRecord(301)])), 500);
    expect(await turn).toMatchObject({ state: 'tailing', records: 301, applied: 301, superseded: 0 });
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 301 });

    const next = feedActivities(services);
    expect(await runActivity(() => next.tailFeed({ seconds: 0.2 }))).toMatchObject({ records: 0 });
    const [source] = await readSources(db.index.db, services.account.id);
    expect(source).toMatchObject({ source: 'feed', state: 'tailing', detail: { caughtUp: true } });
    expect(source?.applied).toBe(source?.head);
  });

  it('3: two attempts at once move the cursor over every page exactly once', async () => {
    await using db = await testIndex();
    const feed = feedOf(30, 500);
    const services = await testServices(db.index, { feed });
    const attempts = [feedActivities(services), feedActivities(services), feedActivities(services)];
    let applied = 0;
    while ((await readCursor(db.index.db, services.account.id))?.version !== 3) {
      const turns = await Promise.all(attempts.map(({ tailFeed }) => runActivity(() => tailFeed({ seconds: 1 }))));
      applied += turns.reduce((sum, turn) => sum + turn.applied, 0);
      expect(turns.map((turn) => turn.superseded)).toEqual([0, 0, 0]);
    }
    expect(applied).toBe(15_000);
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 15_000 });
  });

  it('3: an attempt that overlaps another on the same worker reads and counts for itself', async () => {
    await using db = await testIndex();
    const feed = feedOf(30, 500);
    const services = await testServices(db.index, { feed });
    const { tailFeed } = feedActivities(services);
    let applied = 0;
    while ((await readCursor(db.index.db, services.account.id))?.version !== 3) {
      const turns = await Promise.all([1, 2, 3].map(() => runActivity(() => tailFeed({ seconds: 1 }))));
      applied += turns.reduce((sum, turn) => sum + turn.applied, 0);
    }
    expect(applied).toBe(15_000);
    expect(await countEntries(db.index.db, services.account.id)).toMatchObject({ live: 15_000 });
  });

  it('says that there is no feed, and why', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, { feed: new MemoryFeed() });
    const turn = await runActivity(() => feedActivities(services).tailFeed({ seconds: 5 }));
    expect(turn).toMatchObject({ state: 'no-feed', reason: 'no feed', records: 0 });
  });

  it('ends soon after it is asked to', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, { feed: feedOf(1, 1) });
    const began = Date.now();
    const turn = await runActivity(() => feedActivities(services).tailFeed({ seconds: 30 }), 500);
    expect(turn).toMatchObject({ applied: 1 });
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
