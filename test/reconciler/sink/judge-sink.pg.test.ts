import { chmodSync, mkdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ENTRY_ATTRIBUTE } from '../../../activities/vast/file-view/mark.ts';
import { TEMP_FOLDER } from '../../../activities/vast/file-view/settings.ts';
import { compileRules } from '../../../namespace/authority.ts';
import { parseKey } from '../../../namespace/key.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { recentRuns } from '../../../schema/index/runs.ts';
import { markStubsDue } from '../../../schema/index/stubs.ts';
import type { Sink } from '../../../schema/ports/sink.ts';
import { signal, stubOf } from '../../activities/vast/sink-contract.ts';
import { dispatching, sinkWorlds } from './sink-world.ts';

const sinkWorld = sinkWorlds();

describe('judging a sink', () => {
  it('finds nothing where the view is as the index says, and hidden names alone are listed', async () => {
    await using world = await sinkWorld();
    await world.test.put(['lake/a', 'lake/b/c', 'lake/d', 'lake/d/e', 'lake/dir/', 'lake/../up'], 1);
    await world.test.delete(['lake/a'], 2);
    await world.settle();
    const summary = await world.judge();
    expect(await world.told(summary.runId)).toEqual([
      'lake/../up unrepresentable-name open',
      'lake/d unrepresentable-name open',
      'lake/dir/ unrepresentable-name open',
    ]);
    expect(summary).toMatchObject({ outcome: 'complete', files: 2, live: 5, repaired: 0, open: 3, waiting: 0 });
  });

  it('6: finds what was done to stubs, each with its cause, has the dispatcher mend it, and leaves alone what is not ours', async () => {
    await using world = await sinkWorld();
    const { root } = world.view;
    const names = [
      'missing',
      'short',
      'opened',
      'marked',
      'moved',
      'replaced',
      'right',
      'under/here',
      'gone',
      'covered',
    ];
    await world.test.put(
      names.map((name) => `lake/${name}`),
      1,
    );
    await world.test.delete(['lake/gone'], 2);
    await world.settle();
    rmSync(`${root}/lake/missing`);
    rmSync(`${root}/lake/under`, { recursive: true });
    truncateSync(`${root}/lake/short`, 4);
    chmodSync(`${root}/lake/opened`, 0o644);
    const { setAttributeSync } = await import('fs-xattr');
    const mark = { v: 1, state: 'stub', etag: '0xOLD', length: 10, revision: 1, modified: 1, authority: 'blob' };
    setAttributeSync(`${root}/lake/marked`, ENTRY_ATTRIBUTE, JSON.stringify(mark));
    renameSync(`${root}/lake/moved`, `${root}/lake/elsewhere`);
    rmSync(`${root}/lake/replaced`);
    writeFileSync(`${root}/lake/replaced`, 'mine');
    rmSync(`${root}/lake/covered`);
    mkdirSync(`${root}/lake/covered`);
    writeFileSync(`${root}/lake/covered/mine`, 'mine');
    mkdirSync(`${root}/nobody`);
    writeFileSync(`${root}/nobody/knows`, 'mine');
    await world.view.sink.putStub(stubOf('lake/gone', 1), signal);
    await world.view.sink.putStub(stubOf('never/heard/of', 1), signal);
    writeFileSync(`${root}/${TEMP_FOLDER}/orphan`, '');

    const { runId, ...summary } = await world.judge();
    expect(await world.told(runId)).toEqual([
      'lake/covered stub-missing open',
      'lake/covered/mine foreign-file open',
      'lake/elsewhere stub-stray repaired',
      'lake/gone stub-stray repaired',
      'lake/marked stub-wrong repaired',
      'lake/missing stub-missing repaired',
      'lake/moved stub-missing repaired',
      'lake/opened stub-wrong repaired',
      'lake/replaced foreign-file open',
      'lake/short stub-wrong repaired',
      'lake/under/here stub-missing repaired',
      'never/heard/of stub-stray repaired',
      'nobody/knows foreign-file open',
    ]);
    expect(summary).toMatchObject({
      outcome: 'complete',
      drift: { 'stub-missing': 4, 'stub-wrong': 3, 'stub-stray': 3, 'foreign-file': 3 },
      ...{ repaired: 9, open: 4, waiting: 0 },
    });
    const { is, must } = await world.shown();
    expect(is).toEqual(must.filter((line) => !/covered|replaced/.test(line)));
    expect(await world.test.stubState('lake/replaced')).toBe('conflict');

    rmSync(`${root}/lake/replaced`);
    rmSync(`${root}/lake/covered`, { recursive: true });
    rmSync(`${root}/nobody`, { recursive: true });
    const second = await world.judge();
    expect(await world.told(second.runId)).toEqual([
      'lake/covered stub-missing repaired',
      'lake/replaced stub-missing repaired',
    ]);
    const after = await world.shown();
    expect(after.is).toEqual(after.must);
    expect((await world.judge()).drift).toEqual({});
  });

  it('removes a stub that its rule moved to another sink, and has the other one show it', async () => {
    await using world = await sinkWorld();
    const { index, account } = world.test.services;
    await world.test.put(['lake/stays', 'lake/moves/a'], 1);
    await world.settle();
    const rules = [
      { prefix: '', authority: 'blob', sink: 'vast' },
      { prefix: 'lake/moves/', authority: 'blob', sink: 'other' },
    ] as const;
    const set = await publishRules(index, account.id, rules, 'test');
    const moved = { index: compileRules(set), revision: set.revision };
    Object.assign(world.judging, { rules: () => Promise.resolve(moved) });
    Object.assign(world.test.services, { rules: () => Promise.resolve(moved) });
    // Only the sink `vast` has a dispatcher here: what it hands over stays due in the other.
    await using _dispatcher = dispatching(world);
    const { runId } = await world.judge();
    expect(await world.told(runId)).toEqual(['lake/moves/a stub-stray repaired']);
    const { rows } = await sql<{ sink: string; due: boolean }>`
      select s.name as sink, e.stub_due as due from entries e join sinks s on s.id = e.sink_id
      where e.head = 'moves/a'`.execute(index.db);
    expect(rows).toEqual([{ sink: 'other', due: true }]);
  });

  it('passes over what is due, leased, changed since the walk began, or being hydrated', async () => {
    await using world = await sinkWorld();
    const { index } = world.test.services;
    await world.test.put(['lake/due', 'lake/leased', 'lake/changed', 'lake/wet', 'lake/dead'], 1);
    await world.test.delete(['lake/dead'], 2);
    await world.settle();
    for (const name of ['due', 'leased', 'changed']) rmSync(`${world.view.root}/lake/${name}`);
    const now = Date.now();
    await sql`update entries set stub_due = true, stub_at = ${now + 60_000}::bigint where head = 'due'`.execute(
      index.db,
    );
    await sql`update entries set stub_leased_until = ${now + 60_000}::bigint where head = 'leased'`.execute(index.db);
    await sql`update entries set changed_at = ${now}::bigint where head = 'changed'`.execute(index.db);
    await sql`update entries set stub_state = 'hydrated' where head = 'wet'`.execute(index.db);
    await world.view.sink.hydrate(stubOf('lake/wet', 1, { length: 10 }), async () => bytes(), signal);
    await sql`update entries set stub_state = 'stub' where head = 'wet'`.execute(index.db);
    await sql`
      insert into hydrations (account_id, request_id, prefix, state, started_at)
      values (${world.judging.account.id}, 'r', '', 'running', 1)`.execute(index.db);
    const summary = await world.judge();
    expect(await world.told(summary.runId)).toEqual([]);
    expect(summary).toMatchObject({ outcome: 'complete', drift: {} });
  });

  it('says nothing of a name that is written while it is looked at, and counts temporary files that were left', async () => {
    await using world = await sinkWorld();
    const { index, account } = world.test.services;
    await world.test.put(['lake/a', 'lake/b'], 1);
    await world.settle();
    rmSync(`${world.view.root}/lake/a`);
    const sink = withCalls(world.view.sink, {
      async inspect(key) {
        const found = await world.view.sink.inspect(key, signal);
        await markStubsDue(index.db, account.id, [key]);
        await world.test.drain();
        return found;
      },
      cleanUp: () => Promise.resolve(3),
    });
    const summary = await world.judge({ with: { sink } });
    expect(await world.told(summary.runId)).toEqual([]);
    expect(summary.drift).toEqual({ 'orphaned-temporary': 3 });
  });

  it('7: mends nothing where the view holds nothing of many names, says how to go on, and mends it all once that is approved', async () => {
    await using world = await sinkWorld({ percent: 10, names: 20 });
    const { root } = world.view;
    const names = Array.from({ length: 100 }, (_, at) => `lake/${at}`);
    await world.test.put(names, 1);
    await world.settle();
    rmSync(`${root}/lake`, { recursive: true });
    const summary = await world.judge();
    expect(summary).toMatchObject({
      outcome: 'guarded',
      reason:
        'it holds nothing at all, and at least 100 of 100 live names have no stub there (allowed are 10 % or 20 names): is the view the one that it was?; to mend it all the same: isthmus reconcile sink vast --approve',
    });
    const { index, account } = world.test.services;
    expect((await world.findings(summary.runId)).every(({ state }) => state === 'refused')).toBe(true);
    expect((await world.shown()).is).toEqual([]);
    expect(await recentRuns(index.db, account.id, { limit: 1 })).toEqual([]);

    const approved = await world.judge({ approved: true });
    expect(approved).toMatchObject({ outcome: 'complete', drift: { 'stub-missing': 100 }, repaired: 100 });
    expect((await world.findings(approved.runId))[0]).toMatchObject({ streak: 2, state: 'repaired' });
    const { is, must } = await world.shown();
    expect(is).toEqual(must);
  });

  it('12: leaves alone a hydrated file that somebody wrote to, and says so', async () => {
    await using world = await sinkWorld();
    const path = `${world.view.root}/lake/a`;
    await world.test.put(['lake/a', 'lake/b'], 1);
    await world.settle();
    await world.view.sink.hydrate(stubOf('lake/a', 1, { length: 10 }), async () => bytes(), signal);
    await sql`update entries set stub_state = 'hydrated' where head = 'a'`.execute(world.test.services.index.db);
    writeFileSync(path, 'otherbytes');
    utimesSync(path, new Date(), new Date(Date.now() + 60_000));
    const { runId } = await world.judge();
    expect(await world.told(runId)).toEqual(['lake/a stub-wrong open']);
    expect((await world.view.read(parseKey('lake/a'))).toString()).toBe('otherbytes');
  });

  it('concludes nothing of an index that no judge has been over', async () => {
    await using world = await sinkWorld();
    await world.view.sink.putStub(stubOf('lake/a', 1), signal);
    await world.test.services.index.db.updateTable('accounts').set({ horizon: null }).execute();
    expect(await world.judge()).toMatchObject({ outcome: 'nothing-to-do', files: 0 });
  });
});

function withCalls(sink: Sink, calls: Partial<Sink>): Sink {
  return new Proxy(sink, {
    get(target, name) {
      const value: unknown = Reflect.get(calls, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('0123456789');
}
