import { describe, expect, it } from 'vitest';
import { formatKey, parseKey } from '../../../namespace/key.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import { explainEntry } from '../../../schema/index/queries.ts';
import { releaseStubs } from '../../../schema/index/stubs.ts';
import { noteSubtrees } from '../../../schema/index/subtrees.ts';
import { transact } from '../../../schema/index/transact.ts';
import type { OpenRange, Sink } from '../../../schema/ports/sink.ts';
import { chunksOf, filesOf, signal } from './sink-contract.ts';
import { type TestServices, testServices } from './test-services.ts';
import { readAsStranger, testView } from './view-folder.ts';

const bytes = Buffer.from('ten bytes.');

/** Notes that a directory of `lake` was renamed, as its event does: long enough ago for all that is told of single blobs to be of after. */
async function rename({ services }: TestServices, from: string, to: string): Promise<void> {
  const change = {
    gone: parseKey(`lake/${from}`),
    made: parseKey(`lake/${to}`),
    recursive: true,
    time: Date.now() - 600_000,
    eventId: `${from} to ${to}`,
    api: 'RenameDirectory',
  };
  await transact(services.index, (tx) => noteSubtrees(tx, services.account.id, [change]));
}

/** Brings a blob's bytes in. @param state what is written down of it. @returns how often the source was asked for some. */
async function hydrate(
  { services }: TestServices,
  sink: Sink,
  key: string,
  state: 'hydrated' | 'stub' = 'hydrated',
): Promise<number> {
  const { index, account } = services;
  const entry = await explainEntry(index.db, account.id, parseKey(key));
  if (entry?.attributes === undefined) throw new Error(`${key} is not live`);
  const { attributes, revision } = entry;
  let asked = 0;
  const open: OpenRange = async (offset, length) => {
    asked++;
    return chunksOf(bytes.subarray(offset, offset + length));
  };
  await sink.hydrate({ key: parseKey(key), attributes, revision }, open, signal);
  const result = { key: parseKey(key), revision, lease: 0, state, etag: attributes.etag };
  await releaseStubs(index, account.id, [result]);
  return asked;
}

async function statesOf(sink: Sink): Promise<readonly string[]> {
  return (await filesOf(sink)).map(({ key, state }) => `${formatKey(key)} ${state}`);
}

describe('hydrated stubs of a directory that was renamed', () => {
  it('6: keep their bytes under the new name, whether it is found after the old one went or with it', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    await test.put(['lake/old/1', 'lake/old/2', 'lake/old/3', 'lake/old/stub'], 1, { etag: '0x1' });
    await test.drain();
    for (const name of ['1', '2', '3']) expect(await hydrate(test, view.sink, `lake/old/${name}`)).toBe(1);

    await rename(test, 'old', 'new');
    await test.delete(['lake/old/1', 'lake/old/stub'], 2);
    await test.drain();
    expect(await statesOf(view.sink)).toEqual(['lake/old/2 hydrated', 'lake/old/3 hydrated']);
    await test.put(['lake/new/1', 'lake/new/2', 'lake/new/stub'], 3, { etag: '0x1' });
    await test.delete(['lake/old/2'], 4);
    await test.drain();
    // Before the end of the old name is known.
    await test.put(['lake/new/3'], 5, { etag: '0x1' });
    await test.drain();
    expect(await statesOf(view.sink)).toContain('lake/new/3 stub');
    await test.delete(['lake/old/3'], 6);
    await test.drain();
    expect(await statesOf(view.sink)).toEqual([
      ...['1', '2', '3'].map((name) => `lake/new/${name} hydrated`),
      'lake/new/stub stub',
    ]);
    for (const name of ['1', '2', '3']) {
      expect(await test.stubState(`lake/new/${name}`)).toBe('hydrated');
      expect(await test.stubState(`lake/old/${name}`)).toBe('none');
      expect(await readAsStranger(`${view.root}/lake/new/${name}`)).toEqual(bytes);
      expect(await hydrate(test, view.sink, `lake/new/${name}`)).toBe(0);
    }
    expect(await test.stubState('lake/new/stub')).toBe('stub');
  });

  it('6: keep them through renames of renames, and through one that is taken back', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    await test.put(['lake/a/1', 'lake/x/1'], 1, { etag: '0x1' });
    await test.drain();
    for (const key of ['lake/a/1', 'lake/x/1']) await hydrate(test, view.sink, key);
    await rename(test, 'a', 'b');
    await rename(test, 'b', 'c/d');
    await rename(test, 'x', 'y');
    await rename(test, 'y', 'x');
    await test.delete(['lake/a/1', 'lake/x/1'], 2);
    await test.drain();
    expect(await statesOf(view.sink)).toEqual([]);
    await test.put(['lake/c/d/1', 'lake/x/1'], 3, { etag: '0x1' });
    await test.drain();
    expect(await statesOf(view.sink)).toEqual(['lake/c/d/1 hydrated', 'lake/x/1 hydrated']);
  });

  it.each([
    ['a hydration that was not written down', 'stub', undefined],
    ['that, and a worker that was killed once it had kept them', 'stub', 'killed'],
    ['a worker that was killed once it had kept them', 'hydrated', 'killed'],
    ['a removal that failed before it kept them', 'hydrated', 'before'],
    ['a removal that failed after it kept them', 'hydrated', 'after'],
  ] as const)('6: keep them under a new name that has its stub already, also after %s', async (_, state, fails) => {
    await using view = await testView();
    let failed = 0;
    const fail = () => {
      if (failed++ === 0) throw new IsthmusError('ISTHMUS_SINK', 'EIO: the line is tired');
    };
    const sink = {
      putStub: view.sink.putStub.bind(view.sink),
      async remove(...asked: Parameters<Sink['remove']>) {
        if (fails === 'before') fail();
        const gone = await view.sink.remove(...asked);
        if (fails === 'after') fail();
        return gone;
      },
    } as Partial<Sink> as Sink;
    await using test = await testServices(sink);
    await test.put(['lake/old/1'], 1, { etag: '0x1' });
    await test.drain();
    await hydrate(test, view.sink, 'lake/old/1', state);
    await rename(test, 'old', 'new');
    await test.put(['lake/new/1'], 2, { etag: '0x1' });
    await test.drain();
    expect(await statesOf(view.sink)).toEqual(['lake/new/1 stub', 'lake/old/1 hydrated']);
    if (fails === 'killed') await view.sink.remove(parseKey('lake/old/1'), signal, 'keep');
    await test.delete(['lake/old/1'], 3);
    await test.drain();
    expect(await statesOf(view.sink)).toEqual(['lake/new/1 hydrated']);
    expect(await test.stubState('lake/new/1')).toBe('hydrated');
  });

  it('12: lose them where the new name holds another version, or no directory of theirs was renamed', async () => {
    await using view = await testView();
    await using test = await testServices(view.sink);
    await test.put(['lake/old/1', 'lake/else/1'], 1, { etag: '0x1' });
    await test.drain();
    for (const key of ['lake/old/1', 'lake/else/1']) await hydrate(test, view.sink, key);
    await rename(test, 'old', 'new');
    await test.delete(['lake/old/1', 'lake/else/1'], 2);
    await test.put(['lake/new/1'], 3, { etag: '0x2' });
    await test.put(['lake/other/1'], 3, { etag: '0x1' });
    await test.drain();
    expect(await statesOf(view.sink)).toEqual(['lake/new/1 stub', 'lake/other/1 stub']);
    expect(await test.stubState('lake/new/1')).toBe('stub');
  });
});
