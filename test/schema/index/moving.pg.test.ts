import { describe, expect, it } from 'vitest';
import { noteContainerGone } from '../../../schema/index/containers.ts';
import { wantLooks } from '../../../schema/index/looks.ts';
import { MANY, readMoving } from '../../../schema/index/moving.ts';
import { awaitDecision, finishRun, startRun } from '../../../schema/index/runs.ts';
import { transact } from '../../../schema/index/transact.ts';
import { testIndex } from '../../support/postgres.ts';
import { apply, put, scopeOf, T0 } from './page.ts';

describe('what is on its way', () => {
  it('is each kind of work that the index has yet to do, counted no further than is worth saying', async () => {
    await using db = await testIndex();
    const { index } = db;
    const scope = await scopeOf(index);
    const { id } = scope.account;
    expect(await readMoving(index.db, id)).toEqual({ looks: 0, sweeps: 0, subtrees: 0, stubs: [], runs: [] });

    const names = Array.from({ length: MANY + 5 }, (_, at) => `blob-${at}`);
    await apply(
      index,
      scope,
      names.map((name, at) => put(name, at + 1)),
    );
    const keys = [{ container: 'lake', name: 'blob-0' }];
    const wish = {
      accountId: id,
      keys,
      reason: 'look-due',
      ruleRevision: scope.ruleRevision,
      eventId: 'test',
    } as const;
    await transact(index, (tx) => wantLooks(tx, wish));
    const run = await startRun(index.db, id, { judge: 'listing', prefix: '' });
    const moving = await readMoving(index.db, id);
    expect(moving).toMatchObject({ looks: 1, stubs: [{ sink: 'vast', due: MANY }] });
    expect(moving.runs).toEqual([{ id: run, sink: undefined, waits: false }]);
    // One of a sink that is newer does not hide it.
    const walk = await startRun(index.db, id, { judge: 'sink', prefix: '', sink: 'vast' });
    await awaitDecision(index.db, run);
    expect((await readMoving(index.db, id)).runs).toEqual([
      { id: walk, sink: 'vast', waits: false },
      { id: run, sink: undefined, waits: true },
    ]);
    await finishRun(index.db, walk, { outcome: 'complete' });

    await transact(index, (tx) => noteContainerGone(tx, id, 'lake', T0 + 60_000));
    expect((await readMoving(index.db, id)).sweeps).toBe(1);

    await finishRun(index.db, run, { outcome: 'complete' });
    expect((await readMoving(index.db, id)).runs).toEqual([]);
    // Another account's work is not this one's.
    expect((await readMoving(index.db, (await scopeOf(index)).account.id)).stubs).toEqual([]);
  });
});
