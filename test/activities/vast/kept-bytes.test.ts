import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import type { Files } from '../../../activities/vast/file-view/files.ts';
import { TEMP_FOLDER } from '../../../activities/vast/file-view/settings.ts';
import { View } from '../../../activities/vast/file-view/view.ts';
import { formatKey, parseKey } from '../../../namespace/key.ts';
import { KEEP_BYTES_MS, type OpenRange, type Sink, type StubRequest } from '../../../schema/ports/sink.ts';
import { failingFiles } from './failing-files.ts';
import { blobOf, filesOf, signal } from './sink-contract.ts';
import { temporaryFiles as kept, readAsStranger, testView } from './view-folder.ts';

const NEVER = Number.POSITIVE_INFINITY;
const { stub, open } = blobOf('lake/old/a', Buffer.from('bytes'));
const renamed: StubRequest = { ...stub, key: parseKey('lake/new/a'), revision: 9, formerly: [stub.key] };
/** Azure, which is not to be asked for bytes that are here. */
const unasked: OpenRange = () => Promise.reject(new Error('the source was asked for bytes'));

async function keep(sink: Sink): Promise<void> {
  await sink.hydrate(stub, open, signal);
  await sink.remove(stub.key, signal, 'keep');
}

/** Somebody puts something else at a path in the last moment before it is renamed. */
function replacing(files: Files, path: string, put: () => unknown): Files {
  return {
    ...files,
    rename(from, to) {
      if (from === path) {
        files.unlink(from);
        put();
      }
      files.rename(from, to);
    },
  };
}

async function shownBy(sink: Sink): Promise<readonly string[]> {
  return (await filesOf(sink)).map(({ key, state, etag }) => `${formatKey(key)} ${state} ${etag}`);
}

describe.each(['probe', 'sidecar'] as const)('bytes of a blob whose directory was renamed (%s)', (attributes) => {
  const kind = attributes === 'probe' ? 'xattr' : attributes;
  const writer = (root: string, files: Files) =>
    new View({ root, rootNode: '', attributes: kind, writesThroughMode: true, hydratedMode: 0o644 }, files);

  it('12: are seen by nobody until the new name takes them, and are then as if they had been fetched for it', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    expect(await shownBy(view.sink)).toEqual([]);
    const [name, ...others] = kept(view.root);
    expect(others).toEqual([]);
    await expect(readAsStranger(`${view.root}/${TEMP_FOLDER}/${name}`)).rejects.toThrow(/EACCES/);
    const later = { ...renamed, attributes: { ...renamed.attributes, lastModified: 1_700_000_555_000 } };
    expect(await view.sink.putStub(later, signal)).toEqual({ outcome: 'hydrated' });
    expect(await shownBy(view.sink)).toEqual(['lake/new/a hydrated 0x1']);
    expect((await readAsStranger(`${view.root}/lake/new/a`)).toString()).toBe('bytes');
    const stat = lstatSync(`${view.root}/lake/new/a`);
    expect([stat.mode & 0o7777, stat.mtimeMs]).toEqual([0o644, 1_700_000_555_000]);
    expect(kept(view.root)).toEqual([]);
    expect(await view.sink.putStub(later, signal)).toEqual({ outcome: 'hydrated' });
    expect(await view.sink.hydrate(later, unasked, signal)).toEqual({ outcome: 'already' });
    expect(await view.sink.remove(later.key, signal)).toEqual({ outcome: 'removed' });
  });

  it('6: come to a stub that was made for the new name before they were kept', async () => {
    await using view = await testView({ attributes });
    await view.sink.hydrate(stub, open, signal);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
    await view.sink.remove(stub.key, signal, 'keep');
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'hydrated' });
    expect(await shownBy(view.sink)).toEqual(['lake/new/a hydrated 0x1']);
  });

  it('replace what the rename replaced, and come back where it is taken back', async () => {
    await using view = await testView({ attributes });
    const { stub: other, open: opens } = blobOf('lake/new/a', Buffer.from('other'), 2);
    await view.sink.hydrate(other, opens, signal);
    await keep(view.sink);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'hydrated' });
    expect((await readAsStranger(`${view.root}/lake/new/a`)).toString()).toBe('bytes');
    await view.sink.remove(renamed.key, signal, 'keep');
    const back = { ...stub, revision: 12, formerly: [renamed.key, stub.key] };
    expect(await view.sink.putStub(back, signal)).toEqual({ outcome: 'hydrated' });
    expect((await readAsStranger(`${view.root}/lake/old/a`)).toString()).toBe('bytes');
  });

  it('12: are not taken by another version, another length, or a name that they never had', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    const strangers = [
      { ...renamed, attributes: { ...renamed.attributes, etag: '0x2' } },
      { ...renamed, attributes: { ...renamed.attributes, length: 6 } },
      { ...renamed, formerly: [parseKey('lake/old/b'), parseKey('lake/older/a')] },
      { ...renamed, formerly: undefined },
    ];
    for (const stranger of strangers) {
      expect((await view.sink.putStub(stranger, signal)).outcome).toMatch(/created|updated|unchanged/);
      expect((await filesOf(view.sink)).map(({ state }) => state)).toEqual(['stub']);
    }
    expect(kept(view.root)).toHaveLength(1);
  });

  it('5, 12: that somebody changed stay where they are, and are given to nobody', async () => {
    await using view = await testView({ attributes });
    await view.sink.hydrate(stub, open, signal);
    writeFileSync(`${view.root}/lake/old/a`, 'BYTES');
    expect(await view.sink.remove(stub.key, signal, 'keep')).toMatchObject({ outcome: 'conflict' });
    expect(readFileSync(`${view.root}/lake/old/a`, 'utf8')).toBe('BYTES');
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });

    await using second = await testView({ attributes });
    await keep(second.sink);
    writeFileSync(`${second.root}/${TEMP_FOLDER}/${kept(second.root)[0]}`, 'BYTES');
    expect(await second.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
    expect(kept(second.root)).toEqual([]);
  });

  it('are those of hydrated files alone: a stub leaves nothing', async () => {
    await using view = await testView({ attributes });
    await view.sink.putStub(stub, signal);
    expect(await view.sink.remove(stub.key, signal, 'keep')).toEqual({ outcome: 'removed' });
    expect(kept(view.root)).toEqual([]);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
  });

  it('are taken once, whoever else asks for them', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    const asked = Array.from({ length: 8 }, (_, at) => ({ ...renamed, key: parseKey(`lake/new/${at}`) }));
    const results = await Promise.all(asked.map((each) => view.sink.putStub(each, signal)));
    expect(results.filter(({ outcome }) => outcome === 'hydrated')).toHaveLength(1);
    const states = (await filesOf(view.sink)).map(({ state }) => state).sort();
    expect(states).toEqual(['hydrated', ...Array.from({ length: 7 }, () => 'stub')]);
  });

  it('8: go with their mark when nobody has asked for them for a day', async () => {
    await using view = await testView({ attributes, files: (await failingFiles()).files });
    await keep(view.sink);
    await view.sink.cleanUp(0, signal);
    expect(kept(view.root)).toHaveLength(1);
    vi.useFakeTimers({ now: Date.now() + KEEP_BYTES_MS + 1000, toFake: ['Date'] });
    try {
      expect(await view.sink.cleanUp(0, signal)).toBe(0);
    } finally {
      vi.useRealTimers();
    }
    const sidecars = attributes === 'sidecar' ? readdirSync(`${view.root}/.isthmus`, { recursive: true }) : [];
    expect([...kept(view.root), ...sidecars.filter((each) => String(each).endsWith('.json'))]).toEqual([]);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
  });

  it('8: are gone through a page at a time, beside other work, and no further once that is to end', async () => {
    const { files } = await failingFiles();
    let [looked, most] = [0, 0];
    const seen: string[] = [];
    const stop = new AbortController();
    const counting: Files = {
      ...files,
      stat(path) {
        if (looked === 0) setImmediate(() => (looked = 0));
        most = Math.max(most, ++looked);
        if (seen.push(path) === 1_300) setImmediate(() => stop.abort());
        return files.stat(path);
      },
    };
    await using view = await testView({ attributes, files: counting });
    await view.sink.capabilities();
    for (let at = 0; at < 1_000; at++) writeFileSync(`${view.root}/${TEMP_FOLDER}/kept-${at}`, '');
    [looked, most] = [0, 0];
    seen.length = 0;
    expect(await view.sink.cleanUp(0, signal)).toBe(0);
    expect(most).toBeLessThan(200);
    await expect(view.sink.cleanUp(0, stop.signal)).rejects.toThrow(/abort/);
    expect(kept(view.root)).toHaveLength(1_000);
    expect(seen.length).toBeLessThan(2_000);
    // It goes on where it was stopped, so that it ends some time however often it is.
    expect(await view.sink.cleanUp(0, signal)).toBe(0);
    expect(seen).toHaveLength(2_000);
    expect(await view.sink.cleanUp(0, signal)).toBe(0);
    expect(seen).toHaveLength(3_000);
  });

  it('survive that the folder of temporary files was tidied away, and that a directory goes while they are put in place', async () => {
    await using view = await testView({ attributes });
    await view.sink.hydrate(stub, open, signal);
    const { files } = await failingFiles();
    rmSync(`${view.root}/${TEMP_FOLDER}`, { recursive: true });
    await view.sink.remove(stub.key, signal, 'keep');
    let raced = 0;
    const racing = writer(view.root, {
      ...files,
      rename(from, to) {
        if (to === `${view.root}/lake/new/a` && raced++ === 0) files.removeDirectory(`${view.root}/lake/new`);
        files.rename(from, to);
      },
    });
    expect(racing.put(renamed, NEVER)).toEqual({ outcome: 'hydrated' });
    expect(raced).toBe(2);
    expect((await readAsStranger(`${view.root}/lake/new/a`)).toString()).toBe('bytes');
  });

  it('12: are not what a writer whose claim ran out put there in the last moment', async () => {
    await using view = await testView({ attributes });
    await view.sink.hydrate(stub, open, signal);
    const { files } = await failingFiles();
    const racing = writer(
      view.root,
      replacing(files, `${view.root}/lake/old/a`, () => writer(view.root, files).put(stub, NEVER)),
    );
    expect(racing.remove(stub.key, 'keep')).toEqual({ outcome: 'removed', kept: true });
    expect(kept(view.root)).toHaveLength(1);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
    expect(await shownBy(view.sink)).toEqual(['lake/new/a stub 0x1']);
    expect(kept(view.root)).toEqual([]);
  });

  it('12: are known by their mark, not by the name of their file', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    const [name] = kept(view.root);
    const newer = blobOf('lake/old/a', Buffer.from('newer'), 2);
    await view.sink.hydrate(newer.stub, newer.open, signal);
    await view.sink.remove(stub.key, signal, 'keep');
    const [other] = kept(view.root).filter((each) => each !== name);
    renameSync(`${view.root}/${TEMP_FOLDER}/${other}`, `${view.root}/${TEMP_FOLDER}/${name}`);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
    expect(kept(view.root)).toEqual([]);
  });

  it('are put back by a write that outlasts its claim', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    const late = new FileViewSink({ root: view.root, attributes, writeMs: -1, files: (await failingFiles()).files });
    await expect(late.putStub(renamed, signal)).rejects.toThrow(/took longer/);
    expect(await shownBy(view.sink)).toEqual([]);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'hydrated' });
  });

  it('12: are seen by nobody when they were put back', async () => {
    await using view = await testView({ attributes });
    await keep(view.sink);
    const late = new FileViewSink({ root: view.root, attributes, writeMs: -1, files: (await failingFiles()).files });
    await expect(late.putStub(renamed, signal)).rejects.toThrow(/took longer/);
    const [name] = kept(view.root);
    await expect(readAsStranger(`${view.root}/${TEMP_FOLDER}/${name}`)).rejects.toThrow(/EACCES/);
  });

  it('are not kept of a symbolic link that somebody put there in the last moment', async () => {
    await using view = await testView({ attributes });
    await view.sink.hydrate(stub, open, signal);
    writeFileSync(`${view.root}/elsewhere`, 'private', { mode: 0o644 });
    const { files } = await failingFiles();
    const old = `${view.root}/lake/old/a`;
    const racing = writer(
      view.root,
      replacing(files, old, () => symlinkSync(`${view.root}/elsewhere`, old)),
    );
    racing.remove(stub.key, 'keep');
    expect(lstatSync(`${view.root}/elsewhere`).mode & 0o777).toBe(0o644);
    expect(await view.sink.putStub(renamed, signal)).toEqual({ outcome: 'created' });
    expect(readFileSync(`${view.root}/elsewhere`, 'utf8')).toBe('private');
  });

  it('6: a crash in any step of replacing the stub of another time leaves a stub or the bytes, and none that is foreign', async () => {
    for (let step = 0, survived = false; !survived; step++) {
      await using view = await testView({ attributes, files: (await failingFiles()).files });
      await view.sink.putStub(renamed, signal);
      await keep(view.sink);
      const later = { ...renamed, attributes: { ...renamed.attributes, lastModified: 1_700_000_555_000 } };
      const steps = await failingFiles();
      const crashing = new FileViewSink({ root: view.root, attributes, files: steps.files });
      await crashing.capabilities();
      steps.crashAt = steps.taken.length + step;
      survived = await crashing.putStub(later, signal).then(
        () => true,
        () => false,
      );
      expect(await shownBy(view.sink)).toEqual([expect.stringMatching(/^lake\/new\/a (stub|hydrated) 0x1$/)]);
      expect((await view.sink.putStub(later, signal)).outcome).toMatch(/hydrated|updated|unchanged/);
    }
  });

  it.each([
    ['keeping', (sink: Sink) => sink.remove(stub.key, signal, 'keep')],
    ['taking', (sink: Sink) => sink.putStub(renamed, signal)],
  ] as const)(
    '3, 12: a crash in any step of %s leaves each name as it was or as it is to be',
    async (what, operation) => {
      const ends = new Set<string>();
      for (let step = 0, survived = false; !survived; step++) {
        await using view = await testView({ attributes, files: (await failingFiles()).files });
        await view.sink.hydrate(stub, open, signal);
        if (what === 'taking') await view.sink.remove(stub.key, signal, 'keep');
        const steps = await failingFiles();
        const crashing = new FileViewSink({ root: view.root, attributes, files: steps.files });
        await crashing.capabilities();
        steps.crashAt = steps.taken.length + step;
        survived = await operation(crashing).then(
          () => true,
          () => false,
        );
        const shown = await shownBy(view.sink);
        expect(what === 'keeping' ? ['', 'lake/old/a hydrated 0x1'] : ['', 'lake/new/a hydrated 0x1']).toContain(
          shown.join(),
        );
        // The tasks are still due: they come again, and all that was to be kept is, or must be fetched.
        await view.sink.remove(stub.key, signal, 'keep');
        const { outcome } = await view.sink.putStub(renamed, signal);
        ends.add(outcome);
        expect(outcome).toMatch(what === 'keeping' ? /hydrated/ : /hydrated|created/);
        expect(await shownBy(view.sink)).toEqual([`lake/new/a ${outcome === 'hydrated' ? outcome : 'stub'} 0x1`]);
        const bytes = readAsStranger(`${view.root}/lake/new/a`);
        if (outcome === 'hydrated') expect((await bytes).toString()).toBe('bytes');
        else await expect(bytes).rejects.toThrow(/EACCES/);
        await view.sink.cleanUp(-1000, signal);
        expect(kept(view.root)).toEqual([]);
      }
      expect(ends).toContain('hydrated');
    },
  );

  it('6, 12: over any renames, with tasks lost, repeated and in any order, no name ever shows bytes that are not its own', async () => {
    await using view = await testView({ attributes });
    const directories = ['a', 'b', 'c/d'];
    const step = fc.oneof(
      fc.record({ do: fc.constant('rename' as const), from: fc.nat(2), to: fc.nat(2) }),
      fc.record({ do: fc.constantFrom('write' as const, 'task' as const, 'hydrate' as const), at: fc.nat(5) }),
    );
    let runs = 0;
    let carried = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const lake = `lake${runs++}`;
        const keys = directories.flatMap((directory) => [`${directory}/1`, `${directory}/2`]);
        const blobs = new Map<string, string>();
        const formerly = (name: string) =>
          directories.map((directory) => parseKey(`${lake}/${directory}/${name.at(-1)}`));
        let revision = 0;
        const requestOf = (name: string, text: string) => {
          const { stub: plain, open: opens } = blobOf(`${lake}/${name}`, Buffer.from(text), ++revision);
          const attributes = { ...plain.attributes, etag: text };
          return { request: { ...plain, attributes, formerly: formerly(name) }, opens };
        };
        const task = async (name: string) => {
          const text = blobs.get(name);
          if (text === undefined) await view.sink.remove(parseKey(`${lake}/${name}`), signal, 'keep');
          else if ((await view.sink.putStub(requestOf(name, text).request, signal)).outcome === 'hydrated') carried++;
        };
        for (const [number, each] of steps.entries()) {
          const at = 'at' in each ? (keys[each.at] ?? '') : '';
          if (each.do === 'write') blobs.set(at, `0x${runs}-${number}`);
          if (each.do === 'task') await task(at);
          const text = blobs.get(at);
          if (each.do === 'hydrate' && text !== undefined) {
            const { request, opens } = requestOf(at, text);
            await view.sink.hydrate(request, opens, signal);
          }
          if (each.do !== 'rename' || each.from === each.to) continue;
          const moved = new Map<string, string>();
          for (const file of ['1', '2']) {
            const old = `${directories[each.from]}/${file}`;
            const blob = blobs.get(old);
            if (blob !== undefined) moved.set(`${directories[each.to]}/${file}`, blob);
            blobs.delete(old);
          }
          for (const [name, blob] of moved) blobs.set(name, blob);
        }
        for (const name of keys) await task(name);
        const files = await filesOf(view.sink, `${lake}/`);
        expect(files.map(({ key, etag }) => `${key.name} ${etag}`)).toEqual(
          [...blobs].map(([name, text]) => `${name} ${text}`).sort(),
        );
        for (const { key, state, etag } of files) {
          if (state === 'hydrated') expect(readFileSync(`${view.root}/${formatKey(key)}`, 'utf8')).toBe(etag);
        }
      }),
      { numRuns: 150 },
    );
    expect(carried).toBeGreaterThan(0);
  });
});
