import { rename } from 'node:fs/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { stubActivities } from '../../activities/dispatch-stubs.ts';
import { hydrateActivities } from '../../activities/hydrate.ts';
import type { Key } from '../../namespace/key.ts';
import { parseKey } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { recentHydrations } from '../../schema/index/hydrations.ts';
import type { BlobSource, LookResult, RangeRequest } from '../../schema/ports/blob-source.ts';
import { idleClock } from '../support/idle-clock.ts';
import { chunksOf } from './vast/sink-contract.ts';
import { testServices } from './vast/test-services.ts';
import { testView } from './vast/view-folder.ts';

/** Blobs in memory, one version each, bound to their ETag as Azure's are. */
class MemoryBlobs implements Partial<BlobSource> {
  readonly blobs = new Map<string, { etag: string; bytes: Buffer }>();
  onRead: (key: string) => void = () => {};
  reads = 0;

  async readRange(key: Key, range: RangeRequest): Promise<AsyncIterable<Uint8Array>> {
    const name = `${key.container}/${key.name}`;
    this.onRead(name);
    this.reads++;
    const blob = this.blobs.get(name);
    if (blob?.etag !== range.etag) throw new IsthmusError('ISTHMUS_SOURCE_CHANGED', `'${name}' is not ${range.etag}`);
    return chunksOf(blob.bytes.subarray(range.offset, range.offset + range.length));
  }

  async look(key: Key): Promise<LookResult> {
    const blob = this.blobs.get(`${key.container}/${key.name}`);
    if (blob === undefined) return { kind: 'absent', time: Date.now() };
    const attributes = { etag: blob.etag, length: blob.bytes.length, blobType: 'BlockBlob' as const };
    return { kind: 'found', attributes, time: Date.now() };
  }
}

async function setUp() {
  const view = await testView();
  const blobs = new MemoryBlobs();
  const test = await testServices(view.sink, blobs);
  return {
    view,
    blobs,
    test,
    async put(key: string, text: string) {
      const round = blobs.blobs.size + 1;
      blobs.blobs.set(key, { etag: `0x${round}`, bytes: Buffer.from(text) });
      await test.put([key], round, { length: text.length });
    },
    hydrate: (prefix: string, environment = new MockActivityEnvironment()) =>
      environment.run(hydrateActivities(test.services).hydrateFiles, { prefix, requestId: 'request' }),
    read: async (key: string) => (await view.read(parseKey(key))).toString(),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await view[Symbol.asyncDispose]();
    },
  };
}

describe('hydrating a prefix', () => {
  it('brings in every live name below it, writes down what stands, and a second time does nothing', async () => {
    await using here = await setUp();
    for (const key of ['lake/a', 'lake/b/c', 'lake/b/d', 'other/e']) await here.put(key, `bytes of ${key}`);
    await here.test.drain();
    expect(await here.hydrate('lake/b')).toEqual({ files: 2, already: 0, bytes: 34, failed: 0, failures: [] });
    expect(await here.read('lake/b/c')).toBe('bytes of lake/b/c');
    expect([await here.test.stubState('lake/b/c'), await here.test.stubState('lake/a')]).toEqual(['hydrated', 'stub']);
    expect(await here.hydrate('lake/b')).toMatchObject({ files: 0, already: 2, bytes: 0 });
    expect(here.blobs.reads).toBe(2);
    const [request] = await recentHydrations(here.test.services.index.db, here.test.services.account.id, 5);
    expect(request).toMatchObject({ prefix: 'lake/b', state: 'done', already: 2 });
  });

  it('12: follows a blob that changed to its new version, and never mixes two', async () => {
    await using here = await setUp();
    await here.put('lake/a', 'first');
    await here.test.drain();
    let changed = false;
    here.blobs.onRead = () => {
      if (!changed) here.blobs.blobs.set('lake/a', { etag: '0xnew', bytes: Buffer.from('second version') });
      changed = true;
    };
    expect(await here.hydrate('lake/')).toMatchObject({ files: 1, failed: 0, bytes: 14 });
    expect(await here.read('lake/a')).toBe('second version');
    await here.test.drain();
    expect(await here.read('lake/a')).toBe('second version');
    expect(await here.test.stubState('lake/a')).toBe('hydrated');
  });

  it('follows a blob that changed though the rules moved meanwhile', async () => {
    await using here = await setUp();
    await here.put('lake/a', 'first');
    const live = await here.test.services.rules();
    let stale = true;
    Object.assign(here.test.services, {
      rules: async () => (stale ? { ...live, revision: live.revision - 1 } : live),
      rulesAreStale: () => {
        stale = false;
      },
    });
    here.blobs.blobs.set('lake/a', { etag: '0xnew', bytes: Buffer.from('second version') });
    expect(await here.hydrate('lake/')).toMatchObject({ files: 1, failed: 0, failures: [] });
    expect(await here.read('lake/a')).toBe('second version');
  });

  it('a blob that went meanwhile is no failure, and its stub goes too', async () => {
    await using here = await setUp();
    await here.put('lake/a', 'first');
    await here.test.drain();
    here.blobs.blobs.clear();
    expect(await here.hydrate('lake/')).toEqual({ files: 0, already: 0, bytes: 0, failed: 0, failures: [] });
    await here.test.drain();
    await expect(here.read('lake/a')).rejects.toThrow(/ENOENT/);
  });

  it('a file that fails is named, and the others come', async () => {
    await using here = await setUp();
    for (const key of ['lake/a', 'lake/b', 'lake/c']) await here.put(key, key);
    here.blobs.onRead = (key) => {
      if (key === 'lake/b') throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', 'the line was cut');
    };
    expect(await here.hydrate('')).toMatchObject({ files: 2, failed: 1, failures: ["'lake/b': the line was cut"] });
    expect(await here.test.stubState('lake/b')).toBe('none');
  });

  it('3: an attempt goes on from what the one before it had told', async () => {
    await using here = await setUp();
    for (const key of ['lake/a', 'lake/b', 'lake/c']) await here.put(key, key);
    const told = { after: { container: 'lake', name: 'b' }, files: 2, already: 0, bytes: 12, failed: 0, failures: [] };
    const environment = new MockActivityEnvironment({ heartbeatDetails: told, attempt: 2 });
    expect(await here.hydrate('lake/', environment)).toMatchObject({ files: 3, bytes: 18 });
    expect(here.blobs.reads).toBe(1);
  });

  it('ends when it is cancelled', async () => {
    await using here = await setUp();
    await here.put('lake/a', 'first');
    const environment = new MockActivityEnvironment();
    here.blobs.onRead = () => environment.cancel();
    await expect(here.hydrate('lake/', environment)).rejects.toThrow();
    expect(await here.test.stubState('lake/a')).toBe('none');
  });
});

describe('a turn of dispatch', () => {
  it('writes stubs for its seconds and says what is left', async () => {
    await using here = await setUp();
    for (const key of ['lake/a', 'lake/b']) await here.put(key, key);
    const { dispatchStubs } = stubActivities({ ...here.test.services, clock: idleClock() });
    const turn = await new MockActivityEnvironment().run(dispatchStubs, { seconds: 1, sink: 'vast' });
    expect(turn).toEqual({ written: 2, removed: 0, unchanged: 0, failed: 0, pending: 0 });
    const unknown = new MockActivityEnvironment().run(dispatchStubs, { seconds: 1, sink: 'none' });
    await expect(unknown).rejects.toMatchObject({ code: 'ISTHMUS_USAGE' });
  });

  it('says in the log with what names failed, also where they are too few to end it: of a root that is gone', async () => {
    await using here = await setUp();
    const told: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => told.push(JSON.parse(line).msg) });
    const { dispatchStubs } = stubActivities({ ...here.test.services, log, clock: idleClock() });
    const run = () => new MockActivityEnvironment().run(dispatchStubs, { seconds: 1, sink: 'vast' });
    await here.put('lake/a', 'a');
    expect(await run()).toMatchObject({ written: 1, failed: 0 });
    await rename(here.view.root, `${here.view.root}-moved`);
    told.length = 0;
    await here.put('lake/b', 'b');
    expect(await run()).toMatchObject({ written: 0 });
    const gone = `'lake/b': the root '${here.view.root}' is gone: is the view mounted?`;
    expect(told).toEqual([`stubs failed, the last of them: ${gone}`]);
    await rename(`${here.view.root}-moved`, here.view.root);
  });

  it('does not wait for what a crash left, which it stops with itself and goes on with in the next turn', async () => {
    await using here = await setUp();
    const signals: AbortSignal[] = [];
    here.view.sink.cleanUp = (_, signal) => {
      signals.push(signal);
      if (signals.length === 3) return Promise.resolve(0);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { dispatchStubs } = stubActivities({ ...here.test.services, clock: idleClock() });
    for (const key of ['lake/a', 'lake/b', 'lake/c', 'lake/d']) {
      await here.put(key, key);
      const turn = await new MockActivityEnvironment().run(dispatchStubs, { seconds: 1, sink: 'vast' });
      expect(turn).toMatchObject({ written: 1, pending: 0 });
    }
    // The third went to its end, so that the fourth turn asked for none.
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  it('writes stubs though what a crash left cannot be removed, and ends that when it is cancelled', async () => {
    await using here = await setUp();
    here.view.sink.cleanUp = () => Promise.reject(new IsthmusError('ISTHMUS_SINK', 'EIO: the folder is tired'));
    const failing = stubActivities({ ...here.test.services, clock: idleClock() });
    await here.put('lake/a', 'a');
    const turn = await new MockActivityEnvironment().run(failing.dispatchStubs, { seconds: 1, sink: 'vast' });
    expect(turn).toMatchObject({ written: 1, pending: 0 });

    const environment = new MockActivityEnvironment();
    let stopped = 0;
    here.view.sink.cleanUp = (_, signal) => {
      setImmediate(() => environment.cancel());
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          stopped++;
          reject(signal.reason);
        }),
      );
    };
    const { dispatchStubs } = stubActivities(here.test.services);
    await expect(environment.run(dispatchStubs, { seconds: 3600, sink: 'vast' })).rejects.toThrow(/CANCELLED/i);
    expect(stopped).toBe(1);
  });
});
