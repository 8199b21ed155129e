import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import { startTestStorage, type TestStorage } from './test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await startTestStorage({ hierarchical: true });
});
afterAll(() => storage[Symbol.asyncDispose]());

async function told(): Promise<readonly Record<string, unknown>[]> {
  await storage.settled();
  return storage.events.splice(0).map(({ eventType, data, subject }) => {
    const name = subject.split('/blobs/')[1];
    return { type: eventType.replace('Microsoft.Storage.', ''), api: data.api, name };
  });
}

describe('the embedded account with a hierarchical namespace', () => {
  it('announces a file before it tells that it is written, and writes no feed', async () => {
    const lake = await storage.container('files');
    await lake.getBlockBlobClient('a/b').upload('abc', 3);
    await lake.getBlobClient('a/b').delete();
    await storage.settled();
    const events = [...storage.events];
    expect(await told()).toEqual([
      { type: 'BlobCreated', api: 'CreateFile', name: 'a/b' },
      { type: 'BlobCreated', api: 'FlushWithClose', name: 'a/b' },
      { type: 'BlobDeleted', api: 'DeleteFile', name: 'a/b' },
    ]);
    const read = events.flatMap((event) => decodeTriggers(event).read);
    expect(read).toMatchObject([
      { kind: 'ignored', reason: 'not-yet-written' },
      { kind: 'event', event: { effect: 'put', attributes: { length: 3 } } },
      { kind: 'event', event: { effect: 'delete' } },
    ]);
    expect(events.every(({ data }) => data.blobUrl === data.url)).toBe(true);
    expect(await storage.azurite.getContainerClient('$blobchangefeed').exists()).toBe(false);
  });

  it('renames a directory with all that is in it, and tells of it once', async () => {
    const [lake, other] = [await storage.container('renamed'), await storage.container('other')];
    for (const name of ['d/a', 'd/e/b c', 'dd', 'd']) await lake.getBlockBlobClient(name).upload('abc', 3);
    await told();
    expect(await storage.control.renameDirectory('renamed/d', 'other/new/d é')).toEqual({ blobs: 2 });
    const events = [...(await settledEvents())];
    expect(await told()).toEqual([{ type: 'DirectoryRenamed', api: 'RenameDirectory', name: 'new/d é' }]);
    expect(events.flatMap((event) => decodeTriggers(event).read)).toMatchObject([
      {
        subtree: { gone: { container: 'renamed', name: 'd' }, made: { container: 'other', name: 'new/d é' } },
      },
    ]);
    const names = async (container: typeof lake) => {
      const found: string[] = [];
      for await (const { name } of container.listBlobsFlat()) found.push(name);
      return found;
    };
    expect(await names(lake)).toEqual(['d', 'dd']);
    expect(await names(other)).toEqual(['new/d é/a', 'new/d é/e/b c']);
  });

  it('deletes a directory with all that is in it, or refuses where it is not empty and is to be', async () => {
    const lake = await storage.container('deleted');
    await lake.getBlockBlobClient('d/a').upload('abc', 3);
    await told();
    await expect(storage.control.deleteDirectory('deleted/d', false)).rejects.toThrow(
      '409: {"error":"the directory \'d\' is not empty"}',
    );
    expect(await storage.control.deleteDirectory('deleted/d')).toEqual({ blobs: 1 });
    expect(await storage.control.deleteDirectory('deleted/d', false)).toEqual({ blobs: 0 });
    const events = [...(await settledEvents())];
    expect(events.map(({ data }) => data.recursive)).toEqual(['true', 'false']);
    expect((await told()).map(({ type }) => type)).toEqual(['DirectoryDeleted', 'DirectoryDeleted']);
  });

  it('refuses to rename a directory to itself or to what is below it, and moves nothing', async () => {
    const lake = await storage.container('itself');
    await lake.getBlockBlobClient('d/a').upload('abc', 3);
    for (const to of ['itself/d', 'itself/d/e']) {
      await expect(storage.control.renameDirectory('itself/d', to)).rejects.toThrow('409: ');
    }
    expect(await lake.getBlockBlobClient('d/a').exists()).toBe(true);
    expect(await storage.control.renameDirectory('itself/d', 'itself/dd')).toEqual({ blobs: 1 });
  });

  it('answers 404 to the rename of a directory that is not there, and tells of nothing', async () => {
    await storage.container('nothing');
    await told();
    await expect(storage.control.renameDirectory('nothing/d', 'nothing/e')).rejects.toThrow(
      '404: {"error":"there is no directory \'nothing/d\' to rename: no blob is below it"}',
    );
    expect(await told()).toEqual([]);
  });

  it('has no directories where it is flat, and refuses what names none', async () => {
    await using flat = await startTestStorage();
    await expect(flat.control.deleteDirectory('a/b')).rejects.toThrow('no hierarchical namespace');
    await expect(storage.control.deleteDirectory('a/')).rejects.toThrow('container/directory');
  });
});

async function settledEvents() {
  await storage.settled();
  return storage.events;
}
