import { execFile } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { loadExtendedAttributes } from '../../../activities/vast/file-view/files.ts';
import { parseKey } from '../../../namespace/key.ts';
import { failingFiles } from './failing-files.ts';
import { blobOf, filesOf, signal, stubOf } from './sink-contract.ts';
import { readAsStranger, temporaryFiles, testView } from './view-folder.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

describe('a stub on a file view', () => {
  it('is a sparse file of the true size with the time of the blob, its mark, and no right for anybody', async () => {
    await using view = await testView();
    const huge = stubOf('lake/a/huge', 7, { length: 5 * 2 ** 40, etag: '0x8DB' });
    await view.sink.putStub(huge, signal);
    const stat = lstatSync(`${view.root}/lake/a/huge`);
    expect(stat.size).toBe(5 * 2 ** 40);
    expect(Math.floor(stat.mtimeMs)).toBe(1_700_000_000_123);
    expect(stat.mode & 0o7777).toBe(0);
    expect(stat.blocks).toBeLessThanOrEqual(16);
    const attributes = await loadExtendedAttributes();
    const read = (name: string) => attributes?.getAttributeSync(`${view.root}/lake/a/huge`, name).toString();
    if (isRoot) {
      expect(read('user.isthmus.state')).toBe('stub');
      expect(JSON.parse(read('user.isthmus.entry') ?? '')).toEqual({
        v: 1,
        state: 'stub',
        etag: '0x8DB',
        length: 5 * 2 ** 40,
        revision: 7,
        modified: 1_700_000_000_123,
        authority: 'blob',
        key: 'lake/a/huge',
      });
    }
  });

  it('12: fails loud for another user until the bytes are there', async () => {
    await using view = await testView();
    const { stub, open } = blobOf('lake/a', Buffer.from('bytes'));
    await view.sink.putStub(stub, signal);
    await expect(readAsStranger(`${view.root}/lake/a`)).rejects.toThrow(/EACCES/);
    await view.sink.hydrate(stub, open, signal);
    expect((await readAsStranger(`${view.root}/lake/a`)).toString()).toBe('bytes');
    const stat = lstatSync(`${view.root}/lake/a`);
    expect([stat.size, Math.floor(stat.mtimeMs), stat.mode & 0o7777]).toEqual([5, 1_700_000_000_123, 0o644]);
  });

  it('12: a stub that somebody opened is closed again', async () => {
    await using view = await testView();
    await view.sink.putStub(stubOf('lake/a'), signal);
    chmodSync(`${view.root}/lake/a`, 0o644);
    expect(await view.sink.putStub(stubOf('lake/a'), signal)).toEqual({ outcome: 'updated' });
    expect(lstatSync(`${view.root}/lake/a`).mode & 0o7777).toBe(0);
  });

  it('more than a file system holds in one file is said to be so', async () => {
    await using view = await testView();
    const result = await view.sink.putStub(stubOf('lake/a', 1, { length: 2 ** 52 }), signal);
    expect(result).toMatchObject({ outcome: 'unrepresentable' });
    expect(temporaryFiles(view.root)).toEqual([]);
  });

  it.each(['probe', 'sidecar'] as const)(
    'works for a user who is not root, through mode 0000 (%s)',
    async (attributes) => {
      if (!isRoot) return;
      await using view = await testView();
      mkdirSync(`${view.root}-own`);
      chmodSync(`${view.root}-own`, 0o777);
      const script = fileURLToPath(new URL('./as-stranger.ts', import.meta.url));
      const { stdout } = await run(process.execPath, [script, `${view.root}-own`, attributes]);
      expect(JSON.parse(stdout)).toEqual([
        'created',
        'unchanged',
        'updated',
        'updated',
        'hydrated',
        'already',
        'hydrated',
        'updated',
        'removed',
        false,
      ]);
    },
  );
});

describe('what Isthmus did not make', () => {
  it('is a conflict, and keeps every byte: a file, a symbolic link, a file in the way of a directory', async () => {
    await using view = await testView();
    await view.sink.capabilities();
    mkdirSync(`${view.root}/lake`);
    writeFileSync(`${view.root}/lake/file`, 'mine');
    writeFileSync(`${view.root}/outside`, 'mine too');
    symlinkSync(`${view.root}/outside`, `${view.root}/lake/link`);
    const { open } = blobOf('lake/file', Buffer.from('bytes'));
    for (const name of ['lake/file', 'lake/link', 'lake/file/below']) {
      const stub = stubOf(name, 1, { length: 5 });
      expect(await view.sink.putStub(stub, signal), name).toMatchObject({ outcome: 'conflict' });
      expect(await view.sink.hydrate(stub, open, signal), name).toMatchObject({ outcome: 'conflict' });
      const gone = name === 'lake/file/below' ? 'absent' : 'conflict';
      expect(await view.sink.remove(stub.key, signal), name).toMatchObject({ outcome: gone });
    }
    expect(readFileSync(`${view.root}/lake/file`, 'utf8')).toBe('mine');
    expect(readFileSync(`${view.root}/lake/link`, 'utf8')).toBe('mine too');
    expect((await filesOf(view.sink)).map((file) => file.state)).toEqual(['foreign', 'foreign', 'foreign']);
  });

  it('a symbolic link to a directory is not followed, wherever it points', async () => {
    await using view = await testView();
    await view.sink.putStub(stubOf('lake/there/a'), signal);
    symlinkSync('there', `${view.root}/lake/link`);
    mkdirSync(`${view.root}/../elsewhere`);
    symlinkSync('../elsewhere', `${view.root}/other`);
    for (const name of ['lake/link/a', 'lake/link/b', 'other/a']) {
      expect(await view.sink.putStub(stubOf(name), signal), name).toMatchObject({ outcome: 'conflict' });
      expect(await view.sink.remove(parseKey(name), signal), name).toEqual({ outcome: 'absent' });
    }
    expect(readdirSync(`${view.root}/../elsewhere`)).toEqual([]);
    expect((await filesOf(view.sink, 'lake/there/')).length).toBe(1);
  });

  it('5: a hydrated file that was changed here is neither overwritten nor removed', async () => {
    for (const attributes of ['probe', 'sidecar'] as const) {
      await using view = await testView({ attributes });
      const { stub, open } = blobOf('lake/a', Buffer.from('bytes'));
      await view.sink.hydrate(stub, open, signal);
      writeFileSync(`${view.root}/lake/a`, 'BYTES');
      expect(await view.sink.putStub(stubOf('lake/a', 2), signal)).toMatchObject({ outcome: 'conflict' });
      expect(await view.sink.remove(stub.key, signal)).toMatchObject({ outcome: 'conflict' });
      expect(readFileSync(`${view.root}/lake/a`, 'utf8')).toBe('BYTES');
    }
  });

  it('a stub that was moved is no stub of its new name', async () => {
    await using view = await testView();
    await view.sink.putStub(stubOf('lake/a'), signal);
    renameSync(`${view.root}/lake/a`, `${view.root}/lake/b`);
    expect(await view.sink.putStub(stubOf('lake/b'), signal)).toEqual({ outcome: 'updated' });
    expect(await view.sink.putStub(stubOf('lake/a'), signal)).toEqual({ outcome: 'created' });
  });
});

describe('a crash', () => {
  /** What a name may show; the key of a map that counts what was seen. */
  type Shown = readonly { readonly etag: string | undefined; readonly state: string }[];

  const operations = {
    'making a stub': { before: undefined, run: (sink: FileViewSink) => sink.putStub(stubOf('lake/a/b', 2), signal) },
    'updating a stub': { before: 'stub', run: (sink: FileViewSink) => sink.putStub(stubOf('lake/a/b', 2), signal) },
    'moving the revision': {
      before: 'stub',
      run: (sink: FileViewSink) => sink.putStub(stubOf('lake/a/b', 2, { etag: '0x1', lastModified: 1000 }), signal),
    },
    'removing a stub': { before: 'stub', run: (sink: FileViewSink) => sink.remove(parseKey('lake/a/b'), signal) },
    hydrating: {
      before: 'stub',
      run: (sink: FileViewSink) => {
        const { stub, open } = blobOf('lake/a/b', Buffer.alloc(1000, 7), 2);
        return sink.hydrate(stub, open, signal);
      },
    },
  } as const;

  for (const attributes of ['probe', 'sidecar'] as const) {
    for (const [name, { before, run: operation }] of Object.entries(operations)) {
      it(`3: in any step of ${name} leaves the old file or the new one, and at most an orphan (${attributes})`, async () => {
        const seen = new Set<string>();
        for (let step = 0; ; step++) {
          const { files } = await failingFiles();
          await using view = await testView({ attributes, files });
          if (before !== undefined) await view.sink.putStub(stubOf('lake/a/b', 1), signal);
          const steps = await failingFiles();
          const crashing = new FileViewSink({ root: view.root, attributes, files: steps.files });
          await crashing.capabilities();
          steps.crashAt = steps.taken.length + step;
          const survived = await operation(crashing).then(
            () => true,
            () => false,
          );
          const shown: Shown = await filesOf(view.sink);
          seen.add(shown.map(({ etag, state }) => `${state} ${etag}`).join());
          // Never something half-done that would be taken for a stranger's.
          expect(shown.filter(({ state }) => state === 'foreign')).toEqual([]);
          expect(await view.sink.cleanUp(-1000, signal)).toBeLessThanOrEqual(2);
          expect(temporaryFiles(view.root)).toEqual([]);
          // And the same again goes through, whatever was left.
          await operation(view.sink);
          expect(await operation(view.sink)).toMatchObject({
            outcome: expect.stringMatching(/unchanged|already|absent/),
          });
          const stat = lstatSync(`${view.root}/lake/a/b`, { throwIfNoEntry: false });
          expect([undefined, 1000, 1_700_000_000_123]).toContain(stat && Math.floor(stat.mtimeMs));
          if (name === 'moving the revision') expect(stat?.mtimeMs).toBe(1000);
          if (survived) break;
        }
        expect(seen.size).toBeLessThanOrEqual(2);
      });
    }
  }

  it('an error of the file system leaves nothing behind and names the path', async () => {
    for (const [step, code] of [
      ['rename', 'EIO'],
      ['resize', 'ENOSPC'],
      ['makeDirectory', 'EDQUOT'],
      ['setTime', 'EPERM'],
    ] as const) {
      const steps = await failingFiles();
      await using view = await testView({ files: steps.files });
      await view.sink.capabilities();
      steps.failing = { step, code };
      await expect(view.sink.putStub(stubOf('lake/a'), signal)).rejects.toMatchObject({
        code: 'ISTHMUS_SINK',
        message: expect.stringContaining(`'lake/a': ${code}`),
      });
      steps.failing = undefined;
      expect(temporaryFiles(view.root)).toEqual([]);
      expect(await filesOf(view.sink)).toEqual([]);
    }
  });

  it('a write that outlasts its claim is not put in place', async () => {
    await using view = await testView({ writeMs: -1 });
    await expect(view.sink.putStub(stubOf('lake/a'), signal)).rejects.toThrow(/took longer/);
    expect(await filesOf(view.sink)).toEqual([]);
  });
});

describe('the root', () => {
  it.each([
    ['takes upper and lower case for the same', (name: string) => name.toLowerCase()],
    ['takes the two forms of an accent for the same', (name: string) => name.normalize('NFC')],
  ])('is refused where it %s', async (what, fold) => {
    const steps = await failingFiles();
    const folded = (path: string) => {
      const name = path.indexOf('probe-');
      return name < 0 ? path : path.slice(0, name) + fold(path.slice(name));
    };
    const stat = (path: string) => steps.files.stat(folded(path));
    const create = (path: string, mode: number) => steps.files.create(folded(path), mode);
    const unlink = (path: string) => steps.files.unlink(folded(path));
    await using view = await testView({ files: { ...steps.files, stat, create, unlink } });
    await expect(view.sink.putStub(stubOf('lake/a'), signal)).rejects.toThrow(what);
    await expect(view.sink.capabilities()).rejects.toMatchObject({ code: 'ISTHMUS_SINK' });
  });

  it('is refused where it keeps no mode', async () => {
    const steps = await failingFiles();
    await using view = await testView({ files: { ...steps.files, setMode: () => {} } });
    await expect(view.sink.capabilities()).rejects.toThrow(/mode 0000/);
  });

  it('falls back to sidecars where extended attributes are not to be had', async () => {
    const steps = await failingFiles();
    steps.failing = { step: 'setAttribute', code: 'ENOTSUP' };
    await using view = await testView({ files: steps.files });
    expect(await view.sink.capabilities()).toMatchObject({ attributes: 'sidecar' });
    expect(await view.sink.putStub(stubOf('lake/a'), signal)).toEqual({ outcome: 'created' });
  });
});
