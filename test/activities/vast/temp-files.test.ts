import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { TEMP_FOLDER } from '../../../activities/vast/file-view/settings.ts';
import { View } from '../../../activities/vast/file-view/view.ts';
import { failingFiles } from './failing-files.ts';
import { blobOf, filesOf, signal, stubOf } from './sink-contract.ts';
import { temporaryFiles, testView } from './view-folder.ts';

const stubs = (container: string, count: number) =>
  Array.from({ length: count }, (_, at) => stubOf(`${container}/${at}`));

describe.each(['probe', 'sidecar'] as const)('the temporary files of a view (%s)', (attributes) => {
  it('of each thread lie in a folder of its own, so that no thread waits for the lock of one that all use', async () => {
    await using view = await testView({ attributes, threads: 3 });
    await Promise.all(stubs('lake', 48).map((stub) => view.sink.putStub(stub, signal)));
    expect(readdirSync(`${view.root}/${TEMP_FOLDER}`).sort()).toEqual(['0', '1', '2']);
    const { files } = await failingFiles();
    const made: string[] = [];
    const settings = { root: view.root, rootNode: '', writesThroughMode: true, hydratedMode: 0o644 };
    const fourth = new View(
      { ...settings, attributes: attributes === 'probe' ? 'xattr' : attributes },
      {
        ...files,
        create(path, mode) {
          made.push(path);
          return files.create(path, mode);
        },
        writeText(path, text) {
          made.push(path);
          files.writeText(path, text);
        },
      },
      3,
    );
    for (const stub of stubs('other', 4)) fourth.put(stub, Number.POSITIVE_INFINITY);
    const own = made.map((path) => path.startsWith(`${view.root}/${TEMP_FOLDER}/3/`));
    expect(own).toEqual(Array.from({ length: attributes === 'probe' ? 4 : 8 }, () => true));
    expect(temporaryFiles(view.root)).toEqual([]);
  });

  it('of two workers have names of their own in folders that both use', async () => {
    await using view = await testView({ attributes });
    const second = new FileViewSink({ root: view.root, attributes, threads: 2, writeMs: 60_000 });
    try {
      const puts = [
        ...stubs('lake', 100).map((stub) => view.sink.putStub(stub, signal)),
        ...stubs('other', 100).map((stub) => second.putStub(stub, signal)),
      ];
      const outcomes = (await Promise.all(puts)).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(Array.from({ length: 200 }, () => 'created'));
    } finally {
      await second.close();
    }
    expect(readdirSync(`${view.root}/${TEMP_FOLDER}`).sort()).toEqual(['0', '1']);
    expect((await filesOf(view.sink)).map(({ state }) => state)).toEqual(Array.from({ length: 200 }, () => 'stub'));
    expect(temporaryFiles(view.root)).toEqual([]);
  });

  it('are cleaned by their age where a thread left them, and where all lay once; what else is there stays', async () => {
    await using view = await testView({ attributes });
    await view.sink.putStub(stubOf('lake/a'), signal);
    const folder = `${view.root}/${TEMP_FOLDER}`;
    mkdirSync(`${folder}/7`);
    mkdirSync(`${folder}/theirs`);
    for (const name of ['0/a-1', '7/a-2', 'a-3', 'theirs/a-4']) writeFileSync(`${folder}/${name}`, '');
    expect(await view.sink.cleanUp(60_000, signal)).toBe(0);
    expect(temporaryFiles(view.root)).toHaveLength(5);
    expect(await view.sink.cleanUp(-1000, signal)).toBe(3);
    expect([...temporaryFiles(view.root)].sort()).toEqual(['theirs', 'theirs/a-4']);
  });

  it.each([TEMP_FOLDER, `${TEMP_FOLDER}/0`])('may be tidied away by somebody, with their folder %s', async (folder) => {
    const { stub, open } = blobOf('lake/hydrated', Buffer.from('bytes'));
    const steps = [
      ['made', (sink: FileViewSink) => sink.putStub(stubOf('lake/new'), signal), 'created'],
      [
        'changed',
        (sink: FileViewSink) => sink.putStub(stubOf('lake/a', 2, { etag: '0x1', lastModified: 1000 }), signal),
        'updated',
      ],
      ['hydrated', (sink: FileViewSink) => sink.hydrate(stub, open, signal), 'hydrated'],
      ['kept', (sink: FileViewSink) => sink.remove(stub.key, signal, 'keep'), 'removed'],
    ] as const;
    for (const [what, step, outcome] of steps) {
      await using view = await testView({ attributes, threads: 1 });
      await view.sink.putStub(stubOf('lake/a', 1), signal);
      if (what === 'kept') await view.sink.hydrate(stub, open, signal);
      rmSync(`${view.root}/${folder}`, { recursive: true });
      expect(await step(view.sink), what).toMatchObject({ outcome });
      expect(await view.sink.putStub(stubOf('lake/next'), signal)).toEqual({ outcome: 'created' });
      expect(temporaryFiles(view.root)).toHaveLength(what === 'kept' ? 1 : 0);
    }
  });
});
