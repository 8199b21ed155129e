import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import type { Tx } from '../../../schema/index/database.ts';
import {
  beginSegment,
  forgetCursor,
  moveShard,
  readCursor,
  type ShardPosition,
  setCursor,
} from '../../../schema/index/feed-cursors.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { put, scopeOf } from './page.ts';
import { storedEntries } from './read-index.ts';

class Lost extends Error {}

const SEGMENT = 'idx/segments/2026/11/21/1200/meta.json';
const NEXT = 'idx/segments/2026/11/21/1300/meta.json';
const SHARD = 'log/00/2026/11/21/1200/';

function at(offset: number, shard = SHARD): ShardPosition {
  return { chunk: `${shard}00000.avro`, offset, index: 0 };
}

/** Rolls the transaction back where it lost. */
function must<T>(outcome: T | 'lost'): T {
  if (outcome === 'lost') throw new Lost();
  return outcome;
}

/** A promise that a test settles. */
function signal() {
  return Promise.withResolvers<void>();
}

async function begun() {
  const db = await testIndex();
  const scope = await scopeOf(db.index);
  const { id } = scope.account;
  const run = <T>(work: (tx: Tx) => Promise<T>) => transact(db.index, work);
  const version = must(await run((tx) => beginSegment(tx, id, 0, SEGMENT)));
  return {
    ...{ db, scope, id, run, version },
    /** A page of one change, over the shard's whole step. */
    page: (name: string, from: number, offset: number, shard = SHARD, cursor = version) =>
      run(async (tx) => {
        await applyEvents(tx, { ...scope, events: [put(name, offset)] });
        must(await moveShard(tx, id, { cursor, shard, from, to: at(offset, shard) }));
      }),
    names: async () => (await storedEntries(db.index, id)).map(({ name }) => name),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

describe('a feed cursor', () => {
  it('3: lets one of many overlapping attempts win, and the pages of the others leave no trace', async () => {
    await using on = await begun();
    for (let round = 0; round < 5; round++) {
      const attempts = await Promise.allSettled(
        Array.from({ length: 6 }, async (_, attempt) => {
          await on.page(`round ${round} attempt ${attempt}`, round, 1 + round * 10 + attempt);
          return attempt;
        }),
      );
      const winners = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(winners).toHaveLength(1);
      expect(await readCursor(on.db.index.db, on.id)).toEqual({
        segment: SEGMENT,
        version: 1,
        shards: { [SHARD]: { ...at(1 + round * 10 + (winners[0] ?? 0)), version: round + 1 } },
      });
      expect((await on.names()).filter((name) => name.startsWith(`round ${round} `))).toEqual([
        `round ${round} attempt ${winners[0]}`,
      ]);
    }
  });

  it('3: lets one of many begin a segment, the first one too', async () => {
    await using on = await begun();
    await forgetCursor(on.db.index.db, on.id);
    for (const [from, segment] of [
      [0, SEGMENT],
      [3, NEXT],
    ] as const) {
      const attempts = await Promise.all(
        Array.from({ length: 6 }, () => on.run((tx) => beginSegment(tx, on.id, from, segment))),
      );
      expect(attempts.filter((attempt) => attempt !== 'lost')).toEqual([from === 0 ? 3 : 4]);
    }
    expect(await readCursor(on.db.index.db, on.id)).toEqual({ segment: NEXT, version: 4, shards: {} });
  });

  it('3: pages of two shards commit beside each other', async () => {
    await using on = await begun();
    const [moved, go] = [signal(), signal()];
    const slow = on.run(async (tx) => {
      must(await moveShard(tx, on.id, { cursor: on.version, shard: SHARD, from: 0, to: at(10) }));
      moved.resolve();
      await go.promise;
    });
    await moved.promise;
    await on.page('other', 0, 20, 'log/01/');
    await on.page('other', 1, 30, 'log/01/');
    go.resolve();
    await slow;
    expect(await readCursor(on.db.index.db, on.id)).toMatchObject({
      shards: { [SHARD]: { offset: 10, version: 1 }, 'log/01/': { offset: 30, version: 2 } },
    });
  });

  it('3: a rewind makes every page in flight lose, of shards that it names and of others', async () => {
    await using on = await begun();
    await on.page('a', 0, 10);
    await on.run((tx) => setCursor(tx, on.id, { segment: SEGMENT, shards: { [SHARD]: at(5) } }));
    await expect(on.page('b', 1, 20)).rejects.toThrow(Lost);
    await expect(on.page('c', 0, 20, 'log/01/')).rejects.toThrow(Lost);
    expect(await on.names()).toEqual(['a']);
    expect(await readCursor(on.db.index.db, on.id)).toEqual({
      segment: SEGMENT,
      version: 2,
      shards: { [SHARD]: { ...at(5), version: 1 } },
    });
    await on.page('b', 1, 20, SHARD, 2);
    expect(await on.names()).toEqual(['a', 'b']);
  });

  it('3: a rewind waits for the page that has moved its shard, and a page waits for the rewind and loses', async () => {
    await using on = await begun();
    const [moved, go] = [signal(), signal()];
    const page = on.run(async (tx) => {
      await applyEvents(tx, { ...on.scope, events: [put('a', 10)] });
      must(await moveShard(tx, on.id, { cursor: on.version, shard: SHARD, from: 0, to: at(10) }));
      moved.resolve();
      await go.promise;
    });
    await moved.promise;
    const [set, commit] = [signal(), signal()];
    let waited = true;
    const rewind = on.run(async (tx) => {
      await setCursor(tx, on.id, { segment: SEGMENT, shards: {} });
      waited = false;
      set.resolve();
      await commit.promise;
    });
    await sleep(200);
    expect(waited).toBe(true);
    go.resolve();
    await page;
    await set.promise;
    const late = on.page('b', 1, 20);
    commit.resolve();
    await rewind;
    await expect(late).rejects.toThrow(Lost);
    expect(await on.names()).toEqual(['a']);
    expect(await readCursor(on.db.index.db, on.id)).toEqual({ segment: SEGMENT, version: 2, shards: {} });
  });

  it('3: a segment that has begun, or a cursor that was forgotten, leaves the pages before it behind', async () => {
    await using on = await begun();
    await on.page('a', 0, 10);
    expect(await on.run((tx) => beginSegment(tx, on.id, on.version, NEXT))).toBe(2);
    await expect(on.page('b', 1, 20)).rejects.toThrow(Lost);
    await forgetCursor(on.db.index.db, on.id);
    expect(await readCursor(on.db.index.db, on.id)).toBeUndefined();
    await expect(on.page('c', 0, 20, 'log/01/', 2)).rejects.toThrow(Lost);
    expect(await on.run((tx) => beginSegment(tx, on.id, 2, NEXT))).toBe('lost');
    expect(await on.run((tx) => beginSegment(tx, on.id, 0, SEGMENT))).toBe(4);
    expect(await on.names()).toEqual(['a']);
  });

  it('3: does not come back where the transaction fails after it moved', async () => {
    await using on = await begun();
    const failing = on.run(async (tx) => {
      await applyEvents(tx, { ...on.scope, events: [put('a', 1)] });
      must(await moveShard(tx, on.id, { cursor: on.version, shard: SHARD, from: 0, to: at(10) }));
      throw new Lost();
    });
    await expect(failing).rejects.toThrow(Lost);
    expect(await readCursor(on.db.index.db, on.id)).toEqual({ segment: SEGMENT, version: 1, shards: {} });
    expect(await on.names()).toEqual([]);
  });
});
