import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileRules } from '../../../namespace/authority.ts';
import { epochAt } from '../../../namespace/epoch.ts';
import { compareKeys } from '../../../namespace/key.ts';
import { openIndex } from '../../../schema/index/database.ts';
import type { PageScope } from '../../../schema/index/page.ts';
import {
  claimStubs,
  countStubs,
  giveBackStubs,
  markStubsDue,
  releaseStubs,
  type StubTask,
} from '../../../schema/index/stubs.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, del, put, scopeOf, T0 } from './page.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

function claim(scope: PageScope, limit = 100, leaseMs = 60_000): Promise<readonly StubTask[]> {
  return claimStubs(db.index, { accountId: scope.account.id, sink: 'vast', limit, leaseMs, rules: scope.rules });
}

/** As if the time had passed that claims and failures asked for. */
async function letLeasesEnd(scope: PageScope): Promise<void> {
  await sql`update entries set stub_at = 0, stub_leased_until = 0 where account_id = ${scope.account.id}`.execute(
    db.index.db,
  );
}

function release(scope: PageScope, tasks: readonly StubTask[]): Promise<number> {
  return releaseStubs(
    db.index,
    scope.account.id,
    tasks.map(({ key, revision, live }) => ({ key, revision, state: live ? ('stub' as const) : ('none' as const) })),
  );
}

/** What a writer hands back, with the lease of its claim. */
function resultsOf(tasks: readonly StubTask[]) {
  return tasks.map(({ key, revision, lease, live }) => ({
    ...{ key, revision, lease },
    state: live ? ('stub' as const) : ('none' as const),
  }));
}

async function due(scope: PageScope): Promise<number> {
  return (await countStubs(db.index.db, scope.account.id)).reduce((sum, sink) => sum + sink.due, 0);
}

describe('stub tasks', () => {
  it('6: claimed from two connections at once never overlap, and all are claimed', async () => {
    const scope = await scopeOf(db.index);
    await apply(
      db.index,
      scope,
      Array.from({ length: 600 }, (_, at) => put(`n${at}`, at + 1)),
    );
    const other = openIndex(db.url);
    const seen: string[] = [];
    const drain = async (index: typeof other) => {
      for (;;) {
        const { account, rules } = scope;
        const tasks = await claimStubs(index, {
          accountId: account.id,
          sink: 'vast',
          limit: 17,
          leaseMs: 60_000,
          rules,
        });
        if (tasks.length === 0) return;
        expect(tasks.map(({ key }) => key)).toEqual(tasks.map(({ key }) => key).toSorted(compareKeys));
        seen.push(...tasks.map(({ key }) => key.name));
      }
    };
    await Promise.all([drain(db.index), drain(other), drain(db.index), drain(other)]);
    await other.close();
    // A claim that met rows another had just locked may find nothing: what is left is found by the next one.
    await drain(db.index);
    expect(seen).toHaveLength(600);
    expect(new Set(seen).size).toBe(600);
  });

  it('6: whose entry has moved since they were claimed stay due, at once', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('moved', 1), put('still', 1)]);
    const tasks = await claim(scope);
    await apply(db.index, scope, [put('moved', 2)]);
    expect(await release(scope, tasks)).toBe(1);
    const again = await claim(scope);
    expect(again.map(({ key, revision, attributes }) => [key.name, revision, attributes?.etag])).toEqual([
      ['moved', 2, '0x2'],
    ]);
    expect(await release(scope, again)).toBe(1);
    expect(await due(scope)).toBe(0);
  });

  it('6: that change while they are claimed are not claimed beside the writer, and are claimed after it', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('brief', 1)]);
    const writing = await claim(scope);
    await apply(db.index, scope, [del('brief', 2)]);
    expect(await claim(scope)).toEqual([]);
    await releaseStubs(db.index, scope.account.id, resultsOf(writing));
    expect(await claim(scope)).toMatchObject([{ key: { name: 'brief' }, live: false }]);
  });

  it('6: are due again after a late writer whose claim another has taken over and released', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('late', 1)]);
    const late = await claim(scope);
    await letLeasesEnd(scope);
    await apply(db.index, scope, [del('late', 2)]);
    await releaseStubs(db.index, scope.account.id, resultsOf(await claim(scope)));
    expect(await due(scope)).toBe(0);
    await releaseStubs(db.index, scope.account.id, resultsOf(late));
    expect(await claim(scope)).toMatchObject([{ key: { name: 'late' }, live: false }]);
  });

  it('6: that were claimed and not begun are free at once', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('idle', 1)]);
    const claimed = await claim(scope);
    await giveBackStubs(db.index, scope.account.id, claimed);
    expect(await claim(scope)).toHaveLength(1);
    await giveBackStubs(db.index, scope.account.id, claimed);
    expect(await claim(scope)).toHaveLength(0);
  });

  it('6: come back after their lease, and after the pause that a failure asked for', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1)]);
    expect(await claim(scope)).toHaveLength(1);
    expect(await claim(scope)).toHaveLength(0);
    await letLeasesEnd(scope);
    const [task] = await claim(scope);
    expect(task).toMatchObject({ tries: 0 });
    if (task === undefined) return;
    const failed = {
      key: task.key,
      revision: task.revision,
      state: 'failed' as const,
      detail: 'full\0',
      retryInMs: 60_000,
    };
    await releaseStubs(db.index, scope.account.id, [failed]);
    expect(await claim(scope)).toHaveLength(0);
    expect(await countStubs(db.index.db, scope.account.id)).toEqual([{ sink: 'vast', due: 1, failing: 1 }]);
    await letLeasesEnd(scope);
    expect(await claim(scope)).toMatchObject([{ tries: 1, stubState: 'failed' }]);
  });

  it('6: are due for what a stub shows, and for a tombstone only where a stub may stand', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [del('never', 1)]);
    expect(await due(scope)).toBe(0);
    await apply(db.index, scope, [put('a', 1)]);
    await release(scope, await claim(scope));
    await apply(db.index, scope, [put('a', 1)]);
    expect(await due(scope)).toBe(0);
    await apply(db.index, scope, [del('a', 2)]);
    expect(await claim(scope)).toMatchObject([
      { key: { name: 'a' }, live: false, attributes: undefined, stubState: 'stub' },
    ]);
  });

  it('6: say that an entry of a dead incarnation is not live, though nothing has written it down yet', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1, { epoch: epochAt(T0 - 60_000) })]);
    await apply(db.index, scope, [put('b', 70, { epoch: epochAt(T0 + 60_000) })]);
    expect((await claim(scope)).map(({ key, live }) => [key.name, live])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  it('6: marked due by name are due whatever their state, names that are not known are passed over', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1), put('b', 1)]);
    await release(scope, await claim(scope));
    const key = (name: string) => ({ container: 'lake', name });
    expect(
      await markStubsDue(db.index.db, scope.account.id, [key('b'), key('x'), { container: 'no', name: 'b' }]),
    ).toBe(1);
    expect((await claim(scope)).map((task) => task.key.name)).toEqual(['b']);
  });

  it('6: go to the sink of the rule that is live when they are claimed', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1), put('b', 1)]);
    const rules = compileRules({ revision: 2, rules: [{ prefix: 'lake/a', authority: 'blob', sink: 'other' }] });
    const accountId = scope.account.id;
    expect(await claimStubs(db.index, { accountId, sink: 'vast', limit: 10, leaseMs: 1_000, rules })).toEqual([]);
    expect(await claimStubs(db.index, { accountId, sink: 'other', limit: 10, leaseMs: 1_000, rules })).toMatchObject([
      { key: { name: 'a' } },
    ]);
    expect(await due(scope)).toBe(1);
  });
});
