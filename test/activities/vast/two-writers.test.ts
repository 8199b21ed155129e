import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Files } from '../../../activities/vast/file-view/files.ts';
import { SIDECAR_FOLDER } from '../../../activities/vast/file-view/settings.ts';
import { View } from '../../../activities/vast/file-view/view.ts';
import { formatKey } from '../../../namespace/key.ts';
import { failingFiles } from './failing-files.ts';
import { filesOf, signal, stubOf } from './sink-contract.ts';
import { testView } from './view-folder.ts';

const NEVER = Number.POSITIVE_INFINITY;

describe.each(['xattr', 'sidecar'] as const)('two writers of one view (%s)', (attributes) => {
  const writer = (root: string, files: Files) =>
    new View({ root, attributes, writesThroughMode: true, hydratedMode: 0o644 }, files);
  const test = async () => {
    const view = await testView({ attributes: attributes === 'xattr' ? 'probe' : attributes });
    await view.sink.putStub(stubOf('lake/a'), signal);
    const { files } = await failingFiles();
    return { view, files, other: writer(view.root, files) };
  };
  const sidecars = (root: string) => {
    const folder = { recursive: true, withFileTypes: true } as const;
    return readdirSync(`${root}/${SIDECAR_FOLDER}`, folder).filter((entry) => entry.isFile()).length;
  };

  it("6: a file that another takes away before its mark is read is no stranger's", async () => {
    const { view, files, other } = await test();
    await using _ = view;
    let reads = 0;
    const first = <T>(read: T): T => {
      if (reads++ === 0) {
        expect(other.put(stubOf('lake/a/c'), NEVER)).toMatchObject({ outcome: 'displaced' });
        expect(other.put(stubOf('lake/a/c'), NEVER)).toEqual({ outcome: 'created' });
      }
      return read;
    };
    const slow = writer(view.root, {
      ...files,
      getAttribute: (path, name) => first(files).getAttribute(path, name),
      readText: (path) => first(files).readText(path),
    });
    expect(slow.put(stubOf('lake/a/b'), NEVER)).toEqual({ outcome: 'created' });
    expect(reads).toBeGreaterThan(0);
    expect((await filesOf(view.sink)).map(({ key, state }) => `${formatKey(key)} ${state}`)).toEqual([
      'lake/a/b stub',
      'lake/a/c stub',
    ]);
  });

  it('6: a file that is made again where one has just given way keeps its mark', async () => {
    const { view, files, other } = await test();
    await using _ = view;
    const slow = writer(view.root, {
      ...files,
      unlink(path) {
        files.unlink(path);
        if (path === `${view.root}/lake/a`) other.put(stubOf('lake/a', 2), NEVER);
      },
    });
    expect(slow.put(stubOf('lake/a/b'), NEVER)).toMatchObject({ outcome: 'displaced' });
    expect((await filesOf(view.sink)).map(({ state }) => state)).toEqual(['stub']);
    expect(other.put(stubOf('lake/a/b'), NEVER)).toMatchObject({ outcome: 'displaced' });
    expect(other.put(stubOf('lake/a/b'), NEVER)).toEqual({ outcome: 'created' });
    // Its own writer, who alone has its claim, tidies its mark away.
    expect(other.put(stubOf('lake/a', 2), NEVER)).toEqual({ outcome: 'shadowed' });
    if (attributes === 'sidecar') expect(sidecars(view.root)).toBe(1);
  });
});
