import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { IDENTITY_FILE } from '../../../activities/vast/file-view/view-identity.ts';
import { knownView } from '../../../activities/vast/known-view.ts';
import { parseKey } from '../../../namespace/key.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { readSinkView } from '../../../schema/index/sink-views.ts';
import { filesOf, signal, stubOf } from '../../activities/vast/sink-contract.ts';
import { type SinkWorld, sinkWorlds } from './sink-world.ts';

/** The view as a process has it that starts now. */
function started({ view, test }: SinkWorld, threads = 1): FileViewSink & AsyncDisposable {
  const sink = new FileViewSink({
    ...{ root: view.root, threads, writeMs: 60_000, identity: knownView(test.services, 'vast') },
  });
  return Object.assign(sink, { [Symbol.asyncDispose]: () => sink.close() });
}

const refused = (world: SinkWorld, why: string) => ({
  code: 'ISTHMUS_SINK',
  message: `'${world.view.root}' is not the view of sink vast: ${why}. Mount the view at ${world.view.root}. Or, where this is to be the view from now on, have all its stubs made there: isthmus reconcile sink vast --new-view`,
});
const BARE = 'it bears no identity, as a mount point without its view';

const sinkWorld = sinkWorlds();

describe('the view of a sink', () => {
  it('bears the one identity that the first of several workers gave it', async () => {
    await using world = await sinkWorld();
    await using one = started(world);
    await using other = started(world);
    await Promise.all([one, other].map((sink, at) => sink.putStub(stubOf(`lake/${at}`), signal)));
    const { index, account } = world.test.services;
    const { viewId } = await readSinkView(index.db, account.id, 'vast');
    expect(readFileSync(`${world.view.root}/${IDENTITY_FILE}`, 'utf8')).toBe(`${viewId}\n`);
    await using late = started(world);
    expect((await filesOf(late)).map(({ key }) => key)).toEqual(['lake/0', 'lake/1'].map(parseKey));
  });

  it('is told from its mount point, where nothing is written, and used as soon as it is mounted', async () => {
    await using world = await sinkWorld();
    const { root } = world.view;
    await using first = started(world);
    await first.capabilities();
    await world.test.put(['lake/a'], 1);
    await world.settle();
    renameSync(root, `${root}-unmounted`);
    mkdirSync(root);
    await using late = started(world);
    await expect(late.putStub(stubOf('lake/b'), signal)).rejects.toMatchObject(refused(world, BARE));
    await expect(late.capabilities()).rejects.toMatchObject(refused(world, BARE));
    expect(readdirSync(root)).toEqual([]);
    const { runId: _runId, ...summary } = await world.judge({ with: { sink: late } });
    expect(summary).toMatchObject({ outcome: 'guarded', reason: refused(world, BARE).message, files: 0 });
    const gone = await world.judge({ with: { sink: first } });
    expect(gone).toMatchObject({ outcome: 'guarded', reason: expect.stringContaining('is the view mounted?') });
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
    renameSync(`${root}-unmounted`, root);
    expect(await late.putStub(stubOf('lake/b'), signal)).toEqual({ outcome: 'created' });
  });

  it('is another one by the word of an operator alone, and a judge then has every stub made there', async () => {
    await using world = await sinkWorld({ percent: 1, names: 1 });
    const { root } = world.view;
    await using first = started(world);
    await first.capabilities();
    await world.test.put(['lake/a', 'lake/b/c', 'lake/d'], 1);
    await world.settle();
    renameSync(root, `${root}-before`);
    mkdirSync(root);
    writeFileSync(`${root}/${IDENTITY_FILE}`, 'two\n');
    await using late = started(world);
    await expect(late.capabilities()).rejects.toMatchObject(refused(world, 'it bears the identity of another'));
    await late.adoptView();
    await late.adoptView();
    const { services } = world.test;
    expect(
      await recentJournal(services.index.db, services.account.id, { limit: 5, kind: 'sink-adopted' }),
    ).toMatchObject([{ detail: { sink: 'vast', root, viewId: 'two' } }]);
    const summary = await world.judge({ approved: true, with: { sink: late } });
    expect(summary).toMatchObject({ outcome: 'complete', drift: { 'stub-missing': 3 }, repaired: 3 });
    const { is, must } = await world.shown();
    expect(is).toEqual(must);
  });

  it('is taken as it stands where the index is new or older than identities, unless no worker ever used it', async () => {
    await using world = await sinkWorld();
    const { index } = world.test.services;
    await using first = started(world);
    await first.capabilities();
    const viewId = readFileSync(`${world.view.root}/${IDENTITY_FILE}`, 'utf8');
    await index.db.updateTable('sinks').set({ view_id: null }).execute();
    await using rebuilt = started(world);
    await rebuilt.capabilities();
    expect(readFileSync(`${world.view.root}/${IDENTITY_FILE}`, 'utf8')).toBe(viewId);

    await index.db.updateTable('sinks').set({ view_id: null, had_view: true }).execute();
    rmSync(`${world.view.root}/${IDENTITY_FILE}`);
    await using upgraded = started(world);
    await upgraded.capabilities();
    expect(readFileSync(`${world.view.root}/${IDENTITY_FILE}`, 'utf8')).not.toBe(viewId);

    await index.db.updateTable('sinks').set({ view_id: null, had_view: true }).execute();
    rmSync(world.view.root, { recursive: true });
    mkdirSync(world.view.root);
    await using unmounted = started(world);
    const why = 'no worker has ever used it, and the sink is older';
    await expect(unmounted.capabilities()).rejects.toMatchObject(refused(world, why));
    writeFileSync(`${world.view.root}/${IDENTITY_FILE}`, '');
    await expect(unmounted.capabilities()).rejects.toMatchObject(refused(world, why));
    await unmounted.adoptView();
    await unmounted.capabilities();
  });
});
