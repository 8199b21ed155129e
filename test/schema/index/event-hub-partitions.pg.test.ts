import { describe, expect, it } from 'vitest';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import {
  claimHubPartition,
  forgetHubPlace,
  type HubMove,
  moveHubPlaces,
  readHubPartitions,
} from '../../../schema/index/event-hub-partitions.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';

const HUB = { namespace: 'contoso.servicebus.windows.net', eventHub: 'events', consumerGroup: '$Default' };

async function begun() {
  const db = await testIndex();
  const { id } = await ensureAccount(db.index, 'lake');
  const { index } = db;
  return {
    index,
    read: () => readHubPartitions(index.db, id, HUB),
    claim: (partition: string, owner: string, from?: number, hub = HUB) =>
      claimHubPartition(index.db, id, hub, { partition, owner, from }),
    move: (...moves: HubMove[]) => transact(index, (tx) => moveHubPlaces(tx, id, HUB, moves)),
    forget: (partition: string, from: number) =>
      transact(index, (tx) => forgetHubPlace(tx, id, HUB, { partition, from })),
    id,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

const step = (partition: string, from: number | undefined, sequence: number): HubMove => ({
  partition,
  from,
  to: { offset: String(sequence * 700), sequence, enqueuedAt: 1_000 + sequence },
});

describe('the partitions of an event hub', () => {
  it('3: go to the first of those who claim them with one version, and so do renewals', async () => {
    await using db = await begun();
    const first = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => db.claim('0', owner)));
    expect(first.filter((version) => version !== undefined)).toEqual([1]);
    const second = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => db.claim('0', owner, 1)));
    expect(second.filter((version) => version !== undefined)).toEqual([2]);
    const [{ owner, ownedForMs = -1 } = {}] = await db.read();
    expect(owner).toBe('abcd'[second.indexOf(2)]);
    expect(ownedForMs).toBeGreaterThanOrEqual(0);
    expect(await db.claim('0', '', 2)).toBe(3);
    expect(await db.read()).toMatchObject([{ partition: '0', owner: '', version: 3, place: undefined }]);
  });

  it('3: move from where their events were read alone, and say which did not', async () => {
    await using db = await begun();
    for (const partition of ['0', '1', '2']) await db.claim(partition, 'a');
    expect(await db.move(step('0', undefined, 9), step('1', undefined, 4))).toEqual([]);
    expect(await db.move(step('1', 3, 8), step('0', 9, 12), step('2', 1, 2))).toEqual(['1', '2']);
    const places = (await db.read()).map(({ partition, place }) => [partition, place?.sequence, place?.offset]);
    expect(places).toEqual([
      ['0', 12, '8400'],
      ['1', 4, '2800'],
      ['2', undefined, undefined],
    ]);
  });

  it('3: move once, of two transactions that overlap', async () => {
    await using db = await begun();
    await db.claim('0', 'a');
    await db.claim('1', 'a');
    await db.move(step('0', undefined, 9), step('1', undefined, 9));
    const moving = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const slow = transact(db.index, async (tx) => {
      const lost = await moveHubPlaces(tx, db.id, HUB, [step('0', 9, 20), step('1', 9, 20)]);
      moving.resolve();
      await going.promise;
      return lost;
    });
    await moving.promise;
    const late = db.move(step('1', 9, 15), step('0', 9, 15));
    going.resolve();
    expect(await Promise.all([slow, late])).toEqual([[], ['0', '1']]);
    expect((await db.read()).map(({ place }) => place?.sequence)).toEqual([20, 20]);
  });

  it('are of their hub and group alone, and forget a place only where it still is that one', async () => {
    await using db = await begun();
    await db.claim('0', 'a');
    expect(await db.claim('0', 'a', undefined, { ...HUB, eventHub: 'other' })).toBe(1);
    expect(await db.claim('0', 'a', undefined, { ...HUB, consumerGroup: 'other' })).toBe(1);
    await db.move(step('0', undefined, 9));
    expect(await db.forget('0', 8)).toBe(false);
    expect(await db.forget('0', 9)).toBe(true);
    expect((await db.read()).map(({ place }) => place)).toEqual([undefined]);
  });
});
