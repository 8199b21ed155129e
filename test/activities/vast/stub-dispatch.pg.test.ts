import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StubDispatcher } from '../../../activities/vast/dispatch/stub-dispatcher.ts';
import { formatKey, parseKey } from '../../../namespace/key.ts';
import { explainEntry } from '../../../schema/index/queries.ts';
import { countStubs, markStubsDue, releaseStubs } from '../../../schema/index/stubs.ts';
import { filesOf, signal } from './sink-contract.ts';
import { testServices } from './test-services.ts';
import { testView } from './view-folder.ts';

describe('dispatch on the index', () => {
  it('6: the sink ends as the entries say, over creates, overwrites, deletes and shadows', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    for (let round = 0; round < 3; round++) {
      const put = Array.from({ length: 400 }, (_, at) => `lake/${at % 5}/${at}`);
      await test.put([...put, 'lake/a', 'lake/a/b/c', 'lake/4'], round);
      await test.delete(
        put.filter((_, at) => at % 3 === round),
        round,
      );
      if (round === 1) await test.delete(['lake/a/b/c'], round);
      await test.drain();
    }
    expect(await countStubs(test.services.index.db, test.services.account.id)).toEqual([]);
    const shown = (await filesOf(view.sink)).map((file) => `${formatKey(file.key)} ${file.etag}`);
    expect(shown).toEqual(await test.expected());
    expect(await test.stubState('lake/4')).toBe('shadowed');
    expect(await test.stubState('lake/a')).toBe('shadowed');
    await test.delete(['lake/a/b/c'], 4);
    await test.drain();
    expect(await test.stubState('lake/a')).toBe('stub');
  });

  it('6: a wish that comes between claim and release is not lost, nor is a claim that ran out', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    const { index, account } = test.services;
    await test.put(['lake/a'], 0);
    const [first] = await test.tasks.claim(10, 30_000);
    if (first === undefined) throw new Error('nothing was claimed');
    const result = { key: first.key, revision: first.revision, lease: first.lease, state: 'stub' } as const;
    await markStubsDue(index.db, account.id, [first.key]);
    await test.tasks.release([result]);
    const [second] = await test.tasks.claim(10, 1);
    expect(second?.revision).toBe(first.revision);
    await sleep(20);
    const [third] = await test.tasks.claim(10, 30_000);
    await test.tasks.release([{ ...result, lease: second?.lease }]);
    expect(await countStubs(index.db, account.id)).toMatchObject([{ due: 1 }]);
    await test.tasks.release([{ ...result, lease: third?.lease }]);
    expect(await countStubs(index.db, account.id)).toEqual([]);
    // A hydrate claims nothing: it writes the state and ends no wish.
    await markStubsDue(index.db, account.id, [first.key]);
    expect(await releaseStubs(index, account.id, [{ ...result, state: 'hydrated', lease: 0 }])).toBe(1);
    expect(await countStubs(index.db, account.id)).toMatchObject([{ due: 1 }]);
  });

  it('two dispatchers at once leave the same as one', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    const names = Array.from({ length: 900 }, (_, at) => `lake/${at % 30}${at < 30 ? '' : `/${at}`}`);
    await test.put(names, 0);
    const dispatchers = [0, 1].map(() => new StubDispatcher(test.dispatcherOptions()));
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.run(Date.now() + 2000, signal)));
    await test.drain();
    expect((await filesOf(view.sink)).map((file) => `${formatKey(file.key)} ${file.etag}`)).toEqual(
      await test.expected(),
    );
    const row = await explainEntry(test.services.index.db, test.services.account.id, parseKey('lake/7'));
    expect(row?.stub).toMatchObject({ due: false, state: 'shadowed' });
  });
});
