import { describe, expect, it } from 'vitest';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { type FeedCursor, moveCursor, readCursor } from '../../../schema/index/feed-cursors.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { put, scopeOf } from './page.ts';
import { storedEntries } from './read-index.ts';

class Lost extends Error {}

describe('a feed cursor', () => {
  it('3: lets one of many overlapping attempts win, and the pages of the others leave no trace', async () => {
    await using db = await testIndex();
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    for (let round = 0; round < 5; round++) {
      const from = await readCursor(db.index.db, id);
      const attempts = await Promise.allSettled(
        Array.from({ length: 6 }, (_, attempt) =>
          transact(db.index, async (tx) => {
            await applyEvents(tx, { ...scope, events: [put(`round ${round} attempt ${attempt}`, round + 1)] });
            const to: FeedCursor = {
              segment: 'idx/segments/2026/11/21/1200/meta.json',
              shards: { 'log/00/': { chunk: 'log/00/2026/11/21/1200/00000.avro', offset: attempt, index: 0 } },
              version: (from?.version ?? 0) + 1,
            };
            if ((await moveCursor(tx, id, from, to)) === 'lost') throw new Lost();
            return attempt;
          }),
        ),
      );
      const winners = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(winners).toHaveLength(1);
      expect(await readCursor(db.index.db, id)).toMatchObject({
        version: round + 1,
        shards: { 'log/00/': { offset: winners[0] } },
      });
      const names = (await storedEntries(db.index, id)).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith(`round ${round} `))).toEqual([
        `round ${round} attempt ${winners[0]}`,
      ]);
    }
  });

  it('3: does not come back where the transaction fails after it moved', async () => {
    await using db = await testIndex();
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    const to: FeedCursor = { segment: 's', shards: {}, version: 1 };
    const failing = transact(db.index, async (tx) => {
      await applyEvents(tx, { ...scope, events: [put('a', 1)] });
      await moveCursor(tx, id, undefined, to);
      throw new Lost();
    });
    await expect(failing).rejects.toThrow(Lost);
    expect(await readCursor(db.index.db, id)).toBeUndefined();
    expect(await storedEntries(db.index, id)).toEqual([]);
  });
});
