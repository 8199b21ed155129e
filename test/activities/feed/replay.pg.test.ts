import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import type { Services } from '../../../activities/services.ts';
import { FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import type { FeedSpot, ReplayFeedInput, ReplayTurn } from '../../../schema/inputs/activities.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { idleClock } from '../../support/idle-clock.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';
import { knownFeed, namesInIndex, tailToEnd } from './feed-of.ts';

/** Turns until it is done, as its workflow runs them. */
async function replay(services: Services, input: Omit<ReplayFeedInput, 'seconds'>, seconds = 60) {
  const { replayFeed } = feedActivities(services);
  const total = { records: 0, applied: 0, superseded: 0, ignored: 0, looks: 0 };
  let cursor: FeedSpot | undefined;
  for (let turns = 1; turns < 200; turns++) {
    const turn: ReplayTurn = await runActivity(() => replayFeed({ ...input, seconds, cursor }));
    for (const name of ['records', 'applied', 'superseded', 'ignored', 'looks'] as const) total[name] += turn[name];
    cursor = turn.at;
    if (turn.done) return { ...total, turns };
  }
  throw new Error(`the replay did not end: ${JSON.stringify(total)}`);
}

async function tailed() {
  const db = await testIndex();
  const feed = knownFeed();
  const services = await testServices(db.index, { feed });
  await tailToEnd(services);
  const { id } = services.account;
  return {
    ...{ db, feed, services, id },
    entries: () => storedEntries(db.index, id),
    remove: (names: readonly string[]) =>
      sql`delete from entries where account_id = ${id} and head = any(${names})`.execute(db.index.db),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

describe('a replay', () => {
  it('1: applies nothing where nothing was missing, and leaves the cursor of the tail alone', async () => {
    await using on = await tailed();
    const before = { entries: await on.entries(), cursor: await readCursor(on.db.index.db, on.id) };
    expect(await replay(on.services, {})).toMatchObject({
      records: 48,
      applied: 0,
      superseded: 48,
      looks: 0,
      turns: 1,
    });
    expect({ entries: await on.entries(), cursor: await readCursor(on.db.index.db, on.id) }).toEqual(before);
  });

  it('1: brings back what was taken from the index by hand', async () => {
    await using on = await tailed();
    await on.remove(['blob-7', 'blob-40']);
    expect(await replay(on.services, {})).toMatchObject({ records: 48, applied: 2, superseded: 46 });
    expect(await namesInIndex(on.db.index, on.id)).toEqual(on.feed.names);
    expect(
      (await on.entries()).filter(({ provenance }) => provenance.source === 'replay').map(({ name }) => name),
    ).toEqual(['blob-40', 'blob-7']);
  });

  it('ends where there is no feed before it has read any of it, and waits for an operator later on', async () => {
    await using on = await tailed();
    const { feed } = on.services;
    const list = () => {
      throw new FeedUnavailableError('hierarchical', 'the account has a hierarchical namespace');
    };
    const without = { ...on.services, feed: { readText: list, list, readRange: list } as unknown as typeof feed };
    const { replayFeed } = feedActivities(without);
    for (const from of [undefined, '2026-01-01T00:00:00Z']) {
      await expect(runActivity(() => replayFeed({ from, seconds: 60 }))).rejects.toMatchObject({
        ...{ code: 'ISTHMUS_FEED_UNAVAILABLE', why: 'hierarchical', consequence: 'give-up' },
        message: expect.stringMatching(/^the account has a hierarchical namespace\. .*`isthmus reconcile`/),
      });
    }
    const cursor = (await runActivity(() => feedActivities(on.services).replayFeed({ seconds: 60 }))).at;
    await expect(runActivity(() => replayFeed({ cursor, seconds: 60 }))).rejects.toMatchObject({
      ...{ code: 'ISTHMUS_FEED_UNAVAILABLE', consequence: 'pause' },
    });
  });

  it('of a range reads the records of that time, of a prefix those names', async () => {
    await using on = await tailed();
    await on.remove(on.feed.names);
    const time = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString();
    expect(await replay(on.services, { from: time(10), to: time(20) })).toMatchObject({ records: 10, applied: 10 });
    expect(await replay(on.services, { prefix: 'c/blob-4' })).toMatchObject({ records: 10, applied: 10 });
    expect(await replay(on.services, { prefix: 'd/' })).toMatchObject({ records: 0, applied: 0 });
    expect(await replay(on.services, { to: time(3), prefix: 'c/blob-1' })).toMatchObject({ records: 1, applied: 1 });
    const expected = ['blob-1', ...[...Array(10).keys()].map((n) => `blob-${n + 10}`), 'blob-4'];
    const more = [...Array(9).keys()].map((n) => `blob-${n + 40}`);
    expect(await namesInIndex(on.db.index, on.id)).toEqual([...expected, ...more].sort());
  });

  it.each([
    ['reads the segment after the one of its end, where a late record may stand', '2026-01-01T00:50:00Z', 48],
    ['reads no segment in which nothing of its time can stand', '2026-01-01T00:45:00Z', 24],
  ])('%s', async (_, to, records) => {
    await using on = await tailed();
    expect(await replay(on.services, { to })).toMatchObject({ records, applied: 0 });
  });

  it('keeps to its pace, and goes on in the next turn where the last one stopped', async () => {
    await using on = await tailed();
    const clock = idleClock();
    const began = clock.now();
    const result = await replay({ ...on.services, clock }, { recordsPerSecond: 32 }, 0.2);
    expect(result).toMatchObject({ records: 48, applied: 0, superseded: 48 });
    expect(result.turns).toBeGreaterThan(3);
    expect(clock.now() - began).toBeGreaterThan(1_000);
  });

  it('goes on in the next attempt where the last one was heard of', async () => {
    await using on = await tailed();
    const { replayFeed } = feedActivities(on.services);
    const chunk = `${on.feed.shard(60)}00000.avro`;
    const at = {
      segment: on.feed.manifest(60),
      shards: { [on.feed.shard(60)]: { chunk, offset: on.feed.files.get(chunk)?.length ?? 0, index: 0 } },
    };
    const heartbeatDetails: ReplayTurn = {
      ...{ done: false, at, records: 36, applied: 1, superseded: 35, ignored: 0, looks: 0 },
    };
    const environment = new MockActivityEnvironment({ heartbeatDetails });
    const turn = await environment.run(() => replayFeed({ seconds: 60 }));
    expect(turn).toMatchObject({ done: true, records: 48, applied: 1, superseded: 47 });
  });

  it('refuses a time that is none', async () => {
    await using on = await tailed();
    await expect(replay(on.services, { from: 'noon' })).rejects.toThrow('ISO 8601');
  });
});
