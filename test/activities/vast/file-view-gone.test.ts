import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { blobOf, filesOf, signal, stubOf } from './sink-contract.ts';
import { testView } from './view-folder.ts';

describe.each(['probe', 'sidecar'] as const)('a root that is gone (%s)', (attributes) => {
  const opened = async () => {
    const view = await testView({ attributes });
    await view.sink.putStub(stubOf('lake/a'), signal);
    renameSync(view.root, `${view.root}-moved`);
    return view;
  };
  const refusesAll = async (sink: FileViewSink, root: string) => {
    const gone = {
      code: 'ISTHMUS_SINK',
      message: expect.stringContaining(`the root '${root}' is gone: is the view mounted?`),
    };
    const { stub, open } = blobOf('lake/a', Buffer.from('bytes'));
    for (const { key } of [stub, stubOf('other/b/c')]) {
      await expect(sink.putStub({ ...stub, key }, signal)).rejects.toMatchObject(gone);
      await expect(sink.hydrate({ ...stub, key }, open, signal)).rejects.toMatchObject(gone);
      await expect(sink.remove(key, signal)).rejects.toMatchObject(gone);
    }
    return gone;
  };

  it('is said to be gone with every name, not made again, and used as before once it is back', async () => {
    await using view = await opened();
    const gone = await refusesAll(view.sink, view.root);
    await expect(filesOf(view.sink)).rejects.toMatchObject(gone);
    expect(existsSync(view.root)).toBe(false);
    renameSync(`${view.root}-moved`, view.root);
    expect(await view.sink.putStub(stubOf('other/b'), signal)).toEqual({ outcome: 'created' });
  });

  it('is not made by a process that never had it open either', async () => {
    await using view = await opened();
    await using late = await testView({ root: view.root, attributes });
    const gone = await refusesAll(late.sink, view.root);
    await expect(late.sink.capabilities()).rejects.toMatchObject(gone);
    expect(existsSync(view.root)).toBe(false);
  });

  it('is told from the empty mount point that shows in its place: nothing is written there', async () => {
    await using view = await opened();
    mkdirSync(view.root);
    await refusesAll(view.sink, view.root);
    expect(readdirSync(view.root)).toEqual([]);
  });
});
