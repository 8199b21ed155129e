import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LookAnswer } from '../../../namespace/change.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { claimLooks, countLooks, postponeLook, type WantedLook, wantLooks } from '../../../schema/index/looks.ts';
import type { PageScope } from '../../../schema/index/page.ts';
import { explainEntry } from '../../../schema/index/queries.ts';
import { countStubs } from '../../../schema/index/stubs.ts';
import { transact } from '../../../schema/index/transact.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, put, scopeOf, T0 } from './page.ts';
import { storedEntries } from './read-index.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

const key = (name: string) => ({ container: 'lake', name });

function answer(look: WantedLook, found: LookAnswer['found']): LookAnswer {
  const { entryRevision } = look;
  return { ...look.key, kind: 'look', found, time: T0 + 500_000, entryRevision, eventId: 'look 1' };
}

function want(scope: PageScope, names: readonly string[]): Promise<number> {
  const { account, ruleRevision } = scope;
  const wish = {
    accountId: account.id,
    keys: names.map(key),
    reason: 'not-listed' as const,
    ruleRevision,
    eventId: 'run 1',
  };
  return transact(db.index, (tx) => wantLooks(tx, wish));
}

describe('looks', () => {
  it('4: are claimed once, answered, and gone from the queue; a 404 leaves a tombstone even where there was no entry', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await apply(db.index, scope, [put('a', 1), put('b', 1, { effect: 'touch' })]);
    expect(await want(scope, ['a', 'never'])).toBe(2);
    const [first, second] = await Promise.all([
      claimLooks(db.index, id, 2, 60_000),
      claimLooks(db.index, id, 2, 60_000),
    ]);
    const looks = [...first, ...second, ...(await claimLooks(db.index, id, 9, 60_000))];
    expect(looks.map((look) => [look.key.name, look.reason, look.entryRevision]).toSorted()).toEqual([
      ['a', 'not-listed', 2],
      ['b', 'unvalued', 1],
      ['never', 'not-listed', 1],
    ]);
    const answers = looks.map((look) => answer(look, look.key.name === 'b' ? { etag: '0xB', length: 9 } : undefined));
    expect(await transact(db.index, (tx) => applyLooks(tx, { ...scope, answers }))).toEqual({ applied: 3, moved: 0 });
    expect(await countLooks(db.index.db, id)).toBe(0);
    expect((await storedEntries(db.index, id)).map(({ name, live, lookDue }) => [name, live, lookDue])).toEqual([
      ['a', false, false],
      ['b', true, false],
      ['never', false, false],
    ]);
    // A wish alone shows in no stub; the tombstone of `never` never had one.
    expect(await countStubs(db.index.db, id)).toEqual([{ sink: 'vast', due: 2, failing: 0 }]);
  });

  it('4: answered after their entry moved change nothing and are asked again at once', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await apply(db.index, scope, [put('a', 1, { effect: 'touch' })]);
    const [look] = await claimLooks(db.index, id, 1, 60_000);
    if (look === undefined) throw new Error('no look is due');
    await apply(db.index, scope, [put('a', 2)]);
    const answers = [answer(look, undefined)];
    expect(await transact(db.index, (tx) => applyLooks(tx, { ...scope, answers }))).toEqual({ applied: 0, moved: 1 });
    expect(await claimLooks(db.index, id, 1, 60_000)).toMatchObject([{ entryRevision: 2, attempts: 1 }]);
  });

  it('that could not be had come again after their pause, and say why', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await apply(db.index, scope, [put('a', 1, { effect: 'touch' })]);
    await claimLooks(db.index, id, 1, 60_000);
    await postponeLook(db.index, id, { key: key('a'), inMs: 60_000, error: '503' });
    expect(await claimLooks(db.index, id, 1, 60_000)).toEqual([]);
    expect(await explainEntry(db.index.db, id, key('a'))).toMatchObject({ lookReason: 'unvalued', lookError: '503' });
    await postponeLook(db.index, id, { key: key('a'), inMs: 0, error: '503' });
    expect(await claimLooks(db.index, id, 1, 60_000)).toMatchObject([{ attempts: 2 }]);
  });

  it('wanted keep the sink and the stub of their entry', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1)]);
    await want(scope, ['a']);
    expect((await explainEntry(db.index.db, scope.account.id, key('a')))?.stub).toMatchObject({
      sink: 'vast',
      due: true,
    });
  });
});
