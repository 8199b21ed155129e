import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochAt } from '../../../namespace/epoch.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import type { PageScope } from '../../../schema/index/page.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import { claimSweep, type SweepClaim, sweepStep } from '../../../schema/index/sweeps.ts';
import { transact } from '../../../schema/index/transact.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, put, scopeOf, T0 } from './page.ts';
import { queuedLooks, storedEntries } from './read-index.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

function step(scope: PageScope, claim: SweepClaim, limit = 100) {
  const { account, ruleRevision, policy } = scope;
  return sweepStep(db.index, { account, claim, ruleRevision, policy, limit, leaseMs: 60_000 });
}

describe('a sweep', () => {
  it('1: writes down what a new incarnation killed, in steps, and leaves the new ones alone', async () => {
    const scope = await scopeOf(db.index);
    const [before, after] = [epochAt(T0 - 60_000), epochAt(T0 + 900_000)];
    await apply(
      db.index,
      scope,
      Array.from({ length: 25 }, (_, at) => put(`n${at}`, at + 1, { epoch: before })),
    );
    await apply(
      db.index,
      scope,
      Array.from({ length: 5 }, (_, at) => put(`n${at}`, at + 1_000, { epoch: after })),
    );
    expect(await countEntries(db.index.db, scope.account.id)).toMatchObject({ live: 5, dead: 20, tombstones: 0 });

    const claim = await claimSweep(db.index, scope.account.id, 60_000);
    expect(claim?.container).toBe('lake');
    if (claim === undefined) return;
    expect(await claimSweep(db.index, scope.account.id, 60_000)).toBeUndefined();
    let swept = 0;
    for (let done = false; !done; ) {
      const made = await step(scope, claim, 4);
      swept += made.swept;
      done = made.done;
    }
    expect(swept).toBe(20);
    expect(await countEntries(db.index.db, scope.account.id)).toMatchObject({ live: 5, dead: 0, tombstones: 20 });
    expect(await claimSweep(db.index, scope.account.id, 60_000)).toBeUndefined();
    // The clock stays: an event of the old incarnation is as dead as before.
    const swept7 = (await storedEntries(db.index, scope.account.id)).find(({ name }) => name === 'n7');
    expect(swept7).toMatchObject({ live: false, epoch: before, seen: T0 + 8_000, provenance: { source: 'sweep' } });
  });

  it('waits for a page in flight, which has not heard that the container died', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('old', 1)]);
    const sweep = async () => {
      const claim = await claimSweep(db.index, scope.account.id, 60_000);
      return claim && (await step(scope, claim));
    };
    let sweeping: ReturnType<typeof sweep> = Promise.resolve(undefined);
    await transact(db.index, async (tx) => {
      await applyEvents(tx, { ...scope, events: [put('near', 50)] });
      await transact(db.index, (other) => noteContainerGone(other, scope.account.id, 'lake', T0 + 60_000));
      sweeping = sweep();
      await sleep(300);
    });
    expect(await sweeping).toEqual({ swept: 1, looks: 1, done: true });
    expect(await queuedLooks(db.index, scope.account.id)).toEqual(['lake/near near-container-gone']);
  });

  it("7: looks at what is too near the container's own 404 to tell, and deletes what is older", async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('old', 1), put('near', 50), put('new', 90)]);
    await transact(db.index, (tx) => noteContainerGone(tx, scope.account.id, 'lake', T0 + 60_000));
    const claim = await claimSweep(db.index, scope.account.id, 60_000);
    if (claim === undefined) throw new Error('no sweep is due');
    expect(await step(scope, claim)).toEqual({ swept: 1, looks: 1, done: true });
    expect(await queuedLooks(db.index, scope.account.id)).toEqual(['lake/near near-container-gone']);
    const live = (await storedEntries(db.index, scope.account.id)).filter((entry) => entry.live);
    expect(live.map(({ name }) => name)).toEqual(['near', 'new']);
  });

  it('starts over where the container dies again meanwhile', async () => {
    const scope = await scopeOf(db.index);
    await apply(
      db.index,
      scope,
      Array.from({ length: 10 }, (_, at) => put(`n${at}`, at + 1)),
    );
    await transact(db.index, (tx) => noteContainerGone(tx, scope.account.id, 'lake', T0));
    const claim = await claimSweep(db.index, scope.account.id, 60_000);
    if (claim === undefined) throw new Error('no sweep is due');
    await step(scope, claim, 5);
    await transact(db.index, (tx) => noteContainerGone(tx, scope.account.id, 'lake', T0 + 60_000));
    expect(await step(scope, claim)).toEqual({ swept: 0, looks: 0, done: true });
    const next = await claimSweep(db.index, scope.account.id, 60_000);
    if (next === undefined) throw new Error('no sweep is due');
    expect(await step(scope, next)).toEqual({ swept: 10, looks: 0, done: true });
  });
});
