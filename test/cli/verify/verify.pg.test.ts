import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Difference, VerifyResult } from '../../../cli/verify/difference.ts';
import { verifyNamespace } from '../../../cli/verify/verify.ts';
import type { Attributes } from '../../../namespace/entry.ts';
import { compareKeys, formatKey, type Key, parseKey } from '../../../namespace/key.ts';
import { pathOf } from '../../../namespace/path.ts';
import type { Rule } from '../../../namespace/rule.ts';
import type { Index } from '../../../schema/index/database.ts';
import type { Sink, SinkFile } from '../../../schema/ports/sink.ts';
import { EVERYTHING, makeWorld, NEVER, type World } from '../../reconciler/support/world.ts';
import { testIndex } from '../../support/postgres.ts';

type Files = Map<string, Omit<SinkFile, 'key'>>;

/** A sink of which only the walk is asked. */
function sinkOf(files: Files, onFile: () => void = () => {}): Sink {
  const walk = async function* (prefix: string): AsyncGenerator<SinkFile> {
    for (const [path, file] of files) {
      onFile();
      if (path.startsWith(prefix)) yield { key: parseKey(path), ...file };
    }
  };
  return { walk } as unknown as Sink;
}

function stub({ etag, length }: Attributes): Omit<SinkFile, 'key'> {
  return { etag, length, state: 'stub' };
}

async function verify(
  world: World,
  sinks: Record<string, Files>,
  prefix = '',
): Promise<{ result: VerifyResult; found: Difference[] }> {
  const opened = new Map(Object.entries(sinks).map(([name, files]) => [name, sinkOf(files)]));
  const run = verifyNamespace({ ...world.judging, sinks: opened }, prefix, { signal: NEVER });
  const found: Difference[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done === true) return { result: next.value, found };
    found.push(next.value);
  }
}

/** Stubs of everything that a file view can show. */
function stubsOf(world: World, container: string): Files {
  const blobs = [...(world.blobs.containers.get(container) ?? [])];
  const files: Files = new Map();
  for (const [name, { attributes }] of blobs) {
    const key = { container, name };
    const shadowed = blobs.some(
      ([other]) => other.startsWith(`${name}/`) && 'path' in pathOf({ container, name: other }),
    );
    if ('path' in pathOf(key) && !shadowed) files.set(formatKey(key), stub(attributes));
  }
  return files;
}

/** What stub dispatch would have noted. */
async function markShadowed(index: Index, names: readonly string[]): Promise<void> {
  await index.db.updateTable('entries').set({ stub_state: 'shadowed' }).where('head', 'in', names).execute();
}

const lines = (found: readonly Difference[]) => found.map(({ key, what }) => `${formatKey(key)}: ${what}`);

describe('verify', () => {
  it('says that all agree, and lists apart what a file view cannot show', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const names = [
      'a',
      'a/b',
      'a/b/c',
      'plain',
      '../up',
      'dir/',
      'x'.repeat(1024),
      'x'.repeat(600),
      '\u{1f600}',
      '\uffff',
    ];
    for (const name of names) world.blobs.put('one', name);
    world.blobs.put('two', 'x');
    world.blobs.put('$logs', 'noise');
    await world.reconcile();
    await markShadowed(db.index, ['a', 'a/b']);
    const vast = new Map([...stubsOf(world, 'one'), ...stubsOf(world, 'two')]);

    const { result, found } = await verify(world, { vast });
    expect(lines(found)).toEqual([
      `one/../up: unrepresentable: a component is '..'`,
      'one/a: shadowed by a directory of its name',
      'one/a/b: shadowed by a directory of its name',
      'one/dir/: unrepresentable: a component is empty',
      `one/${'x'.repeat(600)}: unrepresentable: a component has 600 bytes, more than 255`,
      `one/${'x'.repeat(1024)}: unrepresentable: a component has 1024 bytes, more than 255`,
    ]);
    expect(found.every(({ apart }) => apart)).toBe(true);
    expect(result).toEqual({ source: 11, index: 11, sink: 5, differences: 0, shadowed: 2, unrepresentable: 4 });
  });

  it('names every difference, in key order, with what each side has', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const kinds = ['agrees', 'lost', 'stale', 'no-stub', 'old-stub', 'not-ours', 'falsely-shadowed', 'short'];
    for (const name of kinds) world.blobs.put('one', name);
    await world.reconcile();
    await markShadowed(db.index, ['falsely-shadowed']);
    const vast = stubsOf(world, 'one');
    await db.index.db.updateTable('entries').set({ length: 4 }).where('head', '=', 'short').execute();
    const short = vast.get('one/short');
    if (short !== undefined) vast.set('one/short', { ...short, length: 4 });
    world.blobs.delete('one', 'lost');
    world.blobs.put('one', 'stale', 'another length');
    world.blobs.put('one', 'untold');
    for (const name of ['no-stub', 'falsely-shadowed']) vast.delete(`one/${name}`);
    vast.set('one/old-stub', { etag: '0xOLD', length: 8, state: 'hydrated' });
    vast.set('one/not-ours', { etag: undefined, length: 8, state: 'foreign' });
    vast.set('one/left', { etag: '0x1', length: 1, state: 'stub' });
    vast.set('one/somebodys', { etag: undefined, length: 1, state: 'foreign' });
    vast.set('zero/somebodys', { etag: undefined, length: 1, state: 'foreign' });
    vast.set('zero/left', { etag: '0x1', length: 1, state: 'stub' });
    const other: Files = new Map([
      ['one/agrees', { etag: '0x1', length: 1, state: 'stub' }],
      ['one/elsewhere', { etag: undefined, length: 1, state: 'foreign' }],
    ]);

    const { result, found } = await verify(world, { vast, other });
    expect(lines(found)).toEqual([
      'one/agrees: a file of ours in a sink that its rule does not name',
      'one/falsely-shadowed: the sink has no file of it',
      'one/left: the sink has a file of it',
      'one/lost: the source does not have it',
      'one/no-stub: the sink has no file of it',
      'one/not-ours: a file that Isthmus did not make stands in the sink',
      'one/old-stub: the sink has another version',
      'one/short: the index has another version',
      'one/somebodys: the sink has a file that Isthmus did not make',
      'one/stale: the index has another version',
      'one/untold: the index does not have it',
      'zero/left: the sink has a file of it',
      'zero/somebodys: the sink has a file that Isthmus did not make',
    ]);
    expect(found.find(({ key }) => key.name === 'stale')).toMatchObject({
      source: { length: 14 },
      index: { length: 5 },
      sink: { length: 5 },
      apart: false,
    });
    expect(result).toMatchObject({ source: 8, index: 8, differences: 13 });
  });

  it('compares a prefix alone, and nothing that VAST has the authority over', async () => {
    await using db = await testIndex();
    const rules: Rule[] = [EVERYTHING, { prefix: 'one/theirs/', authority: 'vast', sink: 'vast' }];
    const world = await makeWorld(db.index, rules);
    for (const name of ['a/1', 'a/2', 'b/1', 'theirs/x']) world.blobs.put('one', name);
    world.blobs.put('one-more', 'x');
    await world.reconcile();
    const vast: Files = new Map([['one/theirs/y', { etag: '0x1', length: 1, state: 'stub' }]]);
    expect((await verify(world, { vast }, 'one/a/')).result).toMatchObject({ source: 2, index: 2, differences: 2 });
    expect((await verify(world, { vast }, 'one')).result).toMatchObject({ source: 4, index: 4, differences: 4 });
    expect((await verify(world, { vast }, 'one-')).result).toMatchObject({ source: 1, index: 1, differences: 1 });
    expect((await verify(world, { vast }, 'nothing')).result).toMatchObject({ source: 0, index: 0, differences: 0 });
  });

  it('agrees with comparing in memory, on random sides', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    const name = fc.constantFrom('a', 'b', 'é', '\u{1f600}', 'long'.repeat(200), `${'long'.repeat(200)}er`);
    const side = fc.dictionary(name, fc.nat(2), { noNullPrototype: true });
    const container = fc.constantFrom('one', 'two');
    await fc.assert(
      fc.asyncProperty(container, side, side, side, async (where, source, index, sink) => {
        await db.index.pool.query('truncate entries');
        world.blobs.containers.clear();
        const put = (names: Record<string, number>) => {
          world.blobs.containers.clear();
          world.blobs.create(where);
          for (const [each, version] of Object.entries(names)) {
            const blob = world.blobs.put(where, each);
            const attributes = { ...blob, etag: `0x${version}`, length: version };
            world.blobs.containers.get(where)?.set(each, { attributes, bytes: new Uint8Array() });
          }
        };
        put(index);
        await world.reconcile({ judge: 'listing' });
        put(source);
        const vast: Files = new Map(
          Object.entries(sink).map(([each, version]) => [
            `${where}/${each}`,
            { etag: `0x${version}`, length: version, state: 'stub' },
          ]),
        );
        const { result, found } = await verify(world, { vast });
        const hidden = (each: string) => each.length > 255;
        const all = [...new Set([source, index, sink].flatMap(Object.keys))];
        const differ = all.filter((each) => {
          const [s, i, k] = [source[each], index[each], sink[each]];
          return s !== i || (i !== k && !(k === undefined && hidden(each)));
        });
        const expected = differ.map((each): Key => ({ container: where, name: each })).toSorted(compareKeys);
        expect(found.filter(({ apart }) => !apart).map(({ key }) => key)).toEqual(expected);
        expect(result).toMatchObject({
          source: Object.keys(source).length,
          index: Object.keys(index).length,
          sink: Object.keys(sink).length,
          differences: expected.length,
        });
      }),
      { numRuns: 15 },
    );
  });

  it('leaves nothing staged, whether it ends, is left or is interrupted', async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index);
    for (let at = 0; at < 50; at++) world.blobs.put('one', `n${at}`);
    await world.reconcile();
    const staged = async () => {
      const { rows } = await db.index.pool.query(
        `select relname from pg_class where relname in ('source_side', 'sink_side') and relkind = 'r'`,
      );
      return rows.length;
    };
    const gone = () => expect.poll(staged).toBe(0);

    await verify(world, { vast: new Map() });
    await gone();

    const left = verifyNamespace({ ...world.judging, sinks: new Map() }, '', { signal: NEVER });
    await left.next();
    expect(await staged()).toBe(2);
    await left.return(undefined as never);
    await gone();

    const abort = new AbortController();
    const sinks = new Map([['vast', sinkOf(stubsOf(world, 'one'), () => abort.abort(new Error('Ctrl-C')))]]);
    const interrupted = verifyNamespace({ ...world.judging, sinks }, '', { signal: abort.signal });
    await expect(interrupted.next()).rejects.toThrow('Ctrl-C');
    await gone();
  });
});
