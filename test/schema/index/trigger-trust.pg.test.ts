import { describe, expect, it } from 'vitest';
import { transact } from '../../../schema/index/transact.ts';
import { noteFirstApplied, readTriggerTrust } from '../../../schema/index/trigger-trust.ts';
import { testIndex } from '../../support/postgres.ts';
import { scopeOf } from './page.ts';

describe('the oldest trigger that was applied', () => {
  it('1: is the oldest of pages that knew nothing of each other, whichever of them commits last', async () => {
    await using db = await testIndex();
    const { account } = await scopeOf(db.index);
    const first = async () => (await readTriggerTrust(db.index.db, account.id)).firstApplied;
    expect(await first()).toBeUndefined();
    for (const [time, oldest] of [
      [200, 200],
      [100, 100],
      [300, 100],
    ] as const) {
      await transact(db.index, (tx) => noteFirstApplied(tx, account.id, time));
      expect(await first()).toBe(oldest);
    }
  });
});
