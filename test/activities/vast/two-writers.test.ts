import { readdirSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
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
    new View({ root, rootNode: '', attributes, writesThroughMode: true, hydratedMode: 0o644 }, files);
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

  it("6: a file that is made again with its length, its time and its inode, while its mark is read, is no stranger's", async () => {
    const { view, files, other } = await test();
    await using _ = view;
    // A file system may keep the time of a change in steps of some milliseconds.
    await sleep(50);
    const stub = stubOf('lake/a');
    let before: Stats | undefined;
    let reads = 0;
    const again = <T>(read: () => T): T => {
      if (reads++ > 0) return read();
      expect(other.remove(stub.key)).toMatchObject({ outcome: 'removed' });
      try {
        return read();
      } finally {
        expect(other.put(stub, NEVER)).toEqual({ outcome: 'created' });
        // Some give an inode that is free to the next file.
        Object.assign(before ?? {}, { ino: files.stat(`${view.root}/lake/a`)?.ino });
      }
    };
    const slow = writer(view.root, {
      ...files,
      stat(path) {
        const stat = files.stat(path);
        if (path === `${view.root}/lake/a`) before ??= stat;
        return stat;
      },
      getAttribute: (path, name) => again(() => files.getAttribute(path, name)),
      readText: (path) => again(() => files.readText(path)),
    });
    expect(slow.put(stubOf('lake/a/b'), NEVER)).toMatchObject({ outcome: 'displaced' });
  });

  it("6: a stranger's file that is closed to all stays a stranger's, though looking for its mark changes it", async () => {
    const { view, files } = await test();
    await using _ = view;
    writeFileSync(`${view.root}/closed`, 'hello', { mode: 0 });
    // As to everybody but root.
    const denied = writer(view.root, {
      ...files,
      getAttribute(path, name) {
        if ((statSync(path).mode & 0o400) === 0) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
        return files.getAttribute(path, name);
      },
    });
    expect(denied.put(stubOf('closed/a'), NEVER)).toMatchObject({ outcome: 'conflict' });
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
