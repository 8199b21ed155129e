import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8, formatKey, type Key, parseKey } from '../../../namespace/key.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import type { OpenRange, Sink, SinkFile, StubRequest } from '../../../schema/ports/sink.ts';

/** A sink of its own for one test. */
export interface TestSink extends AsyncDisposable {
  readonly sink: Sink;
  /** The bytes that a hydrated key shows; rejects where a stranger may not read them. */
  read(key: Key): Promise<Buffer>;
}

export const signal = new AbortController().signal;

export function stubOf(key: string, revision = 1, overrides: Partial<StubRequest['attributes']> = {}): StubRequest {
  const attributes = { etag: `0x${revision}`, length: 1000, lastModified: 1_700_000_000_123, ...overrides };
  return { key: parseKey(key), attributes, revision };
}

/** A stub of these very bytes, and what opens them. */
export function blobOf(key: string, bytes: Buffer, revision = 1): { stub: StubRequest; open: OpenRange } {
  const md5 = createHash('md5').update(bytes).digest('base64');
  return {
    stub: stubOf(key, revision, { length: bytes.length, md5 }),
    open: async (offset, length) => chunksOf(bytes.subarray(offset, offset + length)),
  };
}

export async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

export async function filesOf(sink: Sink, prefix = ''): Promise<readonly SinkFile[]> {
  const files: SinkFile[] = [];
  for await (const file of sink.walk(prefix, signal)) files.push(file);
  return files.sort((a, b) => compareUtf8(formatKey(a.key), formatKey(b.key)));
}

async function namesOf(sink: Sink, prefix = ''): Promise<readonly string[]> {
  return (await filesOf(sink, prefix)).map((file) => formatKey(file.key));
}

/** What every sink owes its callers, whatever it is made of. */
export function describeSink(kind: string, make: () => Promise<TestSink>): void {
  describe(`any sink, here ${kind}`, () => {
    it('6: shows a stub of the entry, with its size and version', async () => {
      await using test = await make();
      expect(await test.sink.putStub(stubOf('lake/a/b.bin'), signal)).toEqual({ outcome: 'created' });
      expect(await filesOf(test.sink)).toEqual([
        { key: parseKey('lake/a/b.bin'), etag: '0x1', length: 1000, state: 'stub' },
      ]);
    });

    it('6: a repeated request of the same revision changes nothing', async () => {
      await using test = await make();
      await test.sink.putStub(stubOf('lake/a'), signal);
      expect(await test.sink.putStub(stubOf('lake/a'), signal)).toEqual({ outcome: 'unchanged' });
      expect(await test.sink.remove(parseKey('lake/a'), signal)).toEqual({ outcome: 'removed' });
      expect(await test.sink.remove(parseKey('lake/a'), signal)).toEqual({ outcome: 'absent' });
    });

    it('6: a new version replaces the stub; new attributes of the same version move its revision', async () => {
      await using test = await make();
      await test.sink.putStub(stubOf('lake/a'), signal);
      expect(await test.sink.putStub(stubOf('lake/a', 2, { length: 7 }), signal)).toEqual({ outcome: 'updated' });
      expect((await filesOf(test.sink))[0]).toMatchObject({ etag: '0x2', length: 7 });
      const touched = stubOf('lake/a', 3, { etag: '0x2', length: 7, lastModified: 1_700_000_111_000 });
      expect(await test.sink.putStub(touched, signal)).toEqual({ outcome: 'updated' });
      expect(await test.sink.putStub(touched, signal)).toEqual({ outcome: 'unchanged' });
    });

    it('removes directories with their last name, and only then', async () => {
      await using test = await make();
      await test.sink.putStub(stubOf('lake/a/b/c'), signal);
      await test.sink.putStub(stubOf('lake/a/d'), signal);
      await test.sink.remove(parseKey('lake/a/b/c'), signal);
      expect(await namesOf(test.sink)).toEqual(['lake/a/d']);
      // Where the directory has gone, its name is free.
      expect(await test.sink.putStub(stubOf('lake/a/b'), signal)).toEqual({ outcome: 'created' });
    });

    it('the directory wins over the file of the same name', async () => {
      await using test = await make();
      await test.sink.putStub(stubOf('lake/a/b'), signal);
      expect(await test.sink.putStub(stubOf('lake/a'), signal)).toEqual({ outcome: 'shadowed' });
      expect(await test.sink.remove(parseKey('lake/a'), signal)).toEqual({ outcome: 'absent' });
      expect(await namesOf(test.sink)).toEqual(['lake/a/b']);
    });

    it('a stub in the way of a directory is taken away and named', async () => {
      await using test = await make();
      await test.sink.putStub(stubOf('lake/a'), signal);
      const displaced = await test.sink.putStub(stubOf('lake/a/b/c'), signal);
      expect(displaced).toEqual({ outcome: 'displaced', ancestor: parseKey('lake/a') });
      expect(await test.sink.putStub(stubOf('lake/a/b/c'), signal)).toEqual({ outcome: 'created' });
      expect(await namesOf(test.sink)).toEqual(['lake/a/b/c']);
    });

    it('12: hydrating gives the bytes, whole, and only then are they readable', async () => {
      await using test = await make();
      const bytes = randomBytesOf(20 * 1024 * 1024 + 17);
      const { stub, open } = blobOf('lake/deep/er/file', bytes);
      await test.sink.putStub(stub, signal);
      await expect(test.read(stub.key)).rejects.toThrow();
      expect(await test.sink.hydrate(stub, open, signal)).toEqual({ outcome: 'hydrated', bytes: bytes.length });
      expect((await test.read(stub.key)).equals(bytes)).toBe(true);
      expect(await test.sink.hydrate(stub, open, signal)).toEqual({ outcome: 'already' });
      expect(await filesOf(test.sink)).toMatchObject([{ state: 'hydrated', length: bytes.length, etag: '0x1' }]);
    });

    it('hydrates a blob without bytes, one without a stub and one without an MD5', async () => {
      await using test = await make();
      const empty = blobOf('lake/empty', Buffer.alloc(0));
      expect(await test.sink.hydrate(empty.stub, empty.open, signal)).toEqual({ outcome: 'hydrated', bytes: 0 });
      const plain = blobOf('lake/plain', Buffer.from('plain'));
      const { md5: _md5, ...attributes } = plain.stub.attributes;
      expect(await test.sink.hydrate({ ...plain.stub, attributes }, plain.open, signal)).toMatchObject({ bytes: 5 });
      expect((await test.read(plain.stub.key)).toString()).toBe('plain');
    });

    it('keeps the bytes of a hydrated version, and makes it a stub again when the source has another', async () => {
      await using test = await make();
      const { stub, open } = blobOf('lake/a', Buffer.from('first'));
      await test.sink.hydrate(stub, open, signal);
      const touched = { ...stub, revision: 2, attributes: { ...stub.attributes, lastModified: 1_700_000_999_000 } };
      expect(await test.sink.putStub(touched, signal)).toEqual({ outcome: 'hydrated' });
      expect((await test.read(stub.key)).toString()).toBe('first');
      expect(await test.sink.putStub(stubOf('lake/a', 3), signal)).toEqual({ outcome: 'updated' });
      expect(await filesOf(test.sink)).toMatchObject([{ state: 'stub', etag: '0x3' }]);
      await expect(test.read(stub.key)).rejects.toThrow();
    });

    it('12: bytes that are not the version are never shown: too few, too many, another sum, another version', async () => {
      await using test = await make();
      const { stub, open } = blobOf('lake/a', Buffer.from('twelve bytes'));
      await test.sink.putStub(stub, signal);
      const refused: Record<string, OpenRange> = {
        'too few': async () => chunksOf(Buffer.from('twelve')),
        'too many': async () => chunksOf(Buffer.from('twelve bytes and more')),
        'another sum': async () => chunksOf(Buffer.from('TWELVE BYTES')),
        'another version': () => Promise.reject(new IsthmusError('ISTHMUS_SOURCE_CHANGED', 'it is 0x2 now')),
      };
      for (const [what, opens] of Object.entries(refused)) {
        expect(await test.sink.hydrate(stub, opens, signal), what).toMatchObject({ outcome: 'mismatch' });
      }
      const cut = test.sink.hydrate(stub, () => Promise.reject(new Error('the line was cut')), signal);
      await expect(cut).rejects.toThrow('the line was cut');
      expect(await filesOf(test.sink)).toMatchObject([{ state: 'stub' }]);
      expect(await test.sink.hydrate(stub, open, signal)).toMatchObject({ outcome: 'hydrated' });
    });

    it('a version that changes between two ranges is never mixed', async () => {
      await using test = await make();
      const bytes = randomBytesOf(40 * 1024 * 1024);
      const { stub } = blobOf('lake/a', bytes);
      const opens: OpenRange = async (offset, length) => {
        if (offset > 16 * 1024 * 1024) throw new IsthmusError('ISTHMUS_SOURCE_CHANGED', 'it is 0x2 now');
        return chunksOf(bytes.subarray(offset, offset + length));
      };
      expect(await test.sink.hydrate(stub, opens, signal)).toMatchObject({ outcome: 'mismatch' });
      expect(await filesOf(test.sink)).toEqual([]);
    });

    it('a newer stub that came while bytes were fetched stays', async () => {
      await using test = await make();
      const { stub, open } = blobOf('lake/a', Buffer.from('first'));
      const slow: OpenRange = async (offset, length, aborted) => {
        await test.sink.putStub(stubOf('lake/a', 2), signal);
        return open(offset, length, aborted);
      };
      expect(await test.sink.hydrate(stub, slow, signal)).toMatchObject({ outcome: 'mismatch' });
      expect(await filesOf(test.sink)).toMatchObject([{ state: 'stub', etag: '0x2' }]);
    });

    it('an abort ends a hydrate and leaves the stub', async () => {
      await using test = await make();
      const { stub } = blobOf('lake/a', randomBytesOf(1000));
      await test.sink.putStub(stub, signal);
      const abort = new AbortController();
      const endless: OpenRange = async (_offset, _length, aborted) =>
        (async function* () {
          await sleep(10_000, undefined, { signal: aborted });
          yield Buffer.alloc(0);
        })();
      const running = test.sink.hydrate(stub, endless, abort.signal);
      setTimeout(() => abort.abort(new Error('enough')), 20);
      await expect(running).rejects.toThrow();
      expect(await filesOf(test.sink)).toMatchObject([{ state: 'stub' }]);
    });

    it('12: bytes that were kept under a former name are shown for their own version alone, or not at all', async () => {
      await using test = await make();
      const { stub, open } = blobOf('lake/old/a', Buffer.from('bytes'));
      await test.sink.hydrate(stub, open, signal);
      const removed = await test.sink.remove(stub.key, signal, 'keep');
      expect(removed).toMatchObject({ outcome: 'removed' });
      expect(await filesOf(test.sink)).toEqual([]);
      expect(await test.sink.remove(stub.key, signal, 'keep')).toEqual({ outcome: 'absent' });
      const formerly = [parseKey('lake/older/a'), stub.key];
      const renamed = { ...stub, key: parseKey('lake/new/a'), revision: 4, formerly };
      for (const [etag, length] of [
        ['0x1', 6],
        ['0x2', 5],
      ] as const) {
        const another = { ...renamed, attributes: { etag, length } };
        expect(await test.sink.putStub(another, signal)).toMatchObject({
          outcome: expect.stringMatching(/created|updated/),
        });
      }
      const { outcome } = await test.sink.putStub(renamed, signal);
      const [shown] = await filesOf(test.sink);
      expect(shown).toMatchObject({ key: renamed.key, etag: '0x1', length: 5 });
      expect([outcome, shown?.state]).toEqual(
        shown?.state === 'hydrated' ? ['hydrated', 'hydrated'] : ['updated', 'stub'],
      );
      expect('kept' in removed).toBe(shown?.state === 'hydrated');
      if (shown?.state === 'hydrated') expect((await test.read(renamed.key)).toString()).toBe('bytes');
    });

    it('names that cannot be held are said to be so, and leave the root alone', async () => {
      await using test = await make();
      for (const name of [
        '../../evil',
        'a//b',
        'a/',
        '/a',
        '.',
        'a/./b',
        'a/../../b',
        `${'x'.repeat(256)}`,
        'a\0b',
        '',
      ]) {
        const stub = { ...stubOf('lake/x'), key: { container: 'lake', name } };
        expect(await test.sink.putStub(stub, signal), name).toMatchObject({ outcome: 'unrepresentable' });
        expect(await test.sink.remove(stub.key, signal), name).toMatchObject({ outcome: 'unrepresentable' });
        expect(await test.sink.hydrate(stub, async () => chunksOf(Buffer.alloc(0)), signal), name).toMatchObject({
          outcome: 'unrepresentable',
        });
      }
      expect(await filesOf(test.sink)).toEqual([]);
    });

    it('names that differ in any byte are different files', async () => {
      await using test = await make();
      const names = [
        'A',
        'a',
        '\u00e9',
        'e\u0301',
        'a ',
        'a.',
        'con',
        'x\ny',
        '-rf',
        '~',
        '%2F',
        'a:b',
        '\u{1f600}',
        '\u{200b}',
      ];
      for (const name of names) {
        const stub = { ...stubOf('lake/x'), key: { container: 'lake', name } };
        expect(await test.sink.putStub(stub, signal)).toEqual({ outcome: 'created' });
      }
      expect(await namesOf(test.sink)).toEqual(names.map((name) => `lake/${name}`).sort(compareUtf8));
    });

    it('walks what starts with a plain prefix, inside a name too', async () => {
      await using test = await make();
      for (const key of ['lake/a', 'lake/ab/c', 'lake/b', 'laker/a', '$web/a']) {
        await test.sink.putStub(stubOf(key), signal);
      }
      expect(await namesOf(test.sink, 'lake')).toEqual(['lake/a', 'lake/ab/c', 'lake/b', 'laker/a']);
      expect(await namesOf(test.sink, 'lake/a')).toEqual(['lake/a', 'lake/ab/c']);
      expect(await namesOf(test.sink, 'lake/ab/c')).toEqual(['lake/ab/c']);
      expect(await namesOf(test.sink, 'none')).toEqual([]);
    });

    it('6: whatever was asked in whatever order, the last request of each key shows', async () => {
      await using test = await make();
      let runs = 0;
      const names = fc.constantFrom('a', 'a/b', 'a/b/c', 'd', 'd/e', 'f');
      const asks = fc.array(fc.record({ key: names, live: fc.boolean(), etag: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 25,
      });
      await fc.assert(
        fc.asyncProperty(asks, async (requests) => {
          const lake = `lake${runs++}`;
          const wanted = new Map<string, StubRequest>();
          for (const [at, { key: name, live, etag }] of requests.entries()) {
            const key = `${lake}/${name}`;
            wanted.delete(key);
            if (live) wanted.set(key, stubOf(key, at + 1, { etag: `0x${etag}` }));
            else await test.sink.remove(parseKey(key), signal);
            if (live) await test.sink.putStub(stubOf(key, at + 1, { etag: `0x${etag}` }), signal);
          }
          // The level: every entry asked again until nothing moves, the shadowed ones excepted.
          for (let round = 0; round < 4; round++) {
            for (const stub of wanted.values()) {
              const shadowed = [...wanted.keys()].some((key) => key.startsWith(`${formatKey(stub.key)}/`));
              if (!shadowed) await test.sink.putStub(stub, signal);
            }
          }
          const shown = [...wanted.values()]
            .map((stub) => `${formatKey(stub.key)} ${stub.attributes.etag}`)
            .filter((line) => ![...wanted.keys()].some((key) => key.startsWith(`${line.split(' ')[0]}/`)))
            .sort();
          const files = await filesOf(test.sink, `${lake}/`);
          expect(files.map((file) => `${formatKey(file.key)} ${file.etag}`).sort()).toEqual(shown);
        }),
        { numRuns: 60 },
      );
    });

    it('writers of many keys under the same directories do not hinder each other', async () => {
      await using test = await make();
      const rounds = Array.from({ length: 60 }, async (_, at) => {
        const stub = stubOf(`lake/x/y/${at % 6}/${at}`);
        for (let round = 0; round < 10; round++) {
          expect(await test.sink.putStub(stub, signal)).toMatchObject({ outcome: 'created' });
          expect(await test.sink.remove(stub.key, signal)).toMatchObject({ outcome: 'removed' });
        }
      });
      await Promise.all(rounds);
      expect(await filesOf(test.sink)).toEqual([]);
    });
  });
}

export function randomBytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
  return bytes;
}
