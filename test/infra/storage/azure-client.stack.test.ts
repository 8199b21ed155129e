import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Readable } from 'node:stream';
import {
  AccountSASPermissions,
  BlobBatchClient,
  BlobClient,
  BlobSASPermissions,
  BlobServiceClient,
  BlockBlobClient,
  type ContainerClient,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventGridEvent } from '../../../infra/local/storage/events/event-grid-event.ts';
import { startTestStorage, type TestStorage } from './test-storage.ts';

/** Names that a client may give a blob; Azurite and Azure take them all. */
const AWKWARD_NAMES = [
  'plain.txt',
  'with space and  two',
  'per%cent%20and%2F',
  'question?mark=1&b',
  'hash#tag',
  'plus+and=equals;semi,comma',
  'quote"\'`<>|*:',
  'ümlaut/漢字/😀',
  'e\u0301 and \u00e9',
  'double//slash///three',
  'trailing/',
  'dot./..x/.hidden',
  '[brackets]{braces}(parens)~!@$^',
  'a'.repeat(1_000),
];

describe('an Azure client at the front', () => {
  let storage: TestStorage;
  let container: ContainerClient;

  beforeAll(async () => {
    storage = await startTestStorage();
    container = await storage.container('conformance');
  });
  afterAll(() => storage[Symbol.asyncDispose]());

  it.each(AWKWARD_NAMES)('keeps the name %j in blob, event and feed subject', async (name) => {
    const from = storage.events.length;
    const blob = container.getBlockBlobClient(name);
    await blob.upload(name, Buffer.byteLength(name));
    expect((await blob.downloadToBuffer()).toString()).toBe(name);
    await storage.settled();
    const [event] = storage.events.slice(from);
    expect(event?.subject).toBe(`/blobServices/default/containers/conformance/blobs/${name}`);
    expect(event?.data.contentLength).toBe(Buffer.byteLength(name));
    // The url of the event opens the blob.
    const credential = storage.account.credential;
    expect((await new BlobClient(String(event?.data.url), credential as never).downloadToBuffer()).toString()).toBe(
      name,
    );
  });

  it('lists what was written, the same as Azurite itself', async () => {
    const listed = async (account: BlobServiceClient) => {
      const names: string[] = [];
      for await (const blob of account.getContainerClient('conformance').listBlobsFlat()) names.push(blob.name);
      return names;
    };
    expect((await listed(storage.account)).sort()).toEqual([...AWKWARD_NAMES].sort());
    expect(await listed(storage.account)).toEqual(await listed(storage.azurite));
  });

  it('hides the feed from List Containers and lets it be read by name', async () => {
    const names: string[] = [];
    for await (const { name } of storage.account.listContainers()) names.push(name);
    expect(names).toEqual(['conformance']);
    expect(await storage.account.getContainerClient('$blobchangefeed').exists()).toBe(true);
  });

  it('streams large bodies in blocks and back in ranges', async () => {
    const bytes = randomBytes(9_000_000);
    const blob = container.getBlockBlobClient('streamed');
    const from = storage.events.length;
    await blob.uploadStream(Readable.from([bytes.subarray(0, 5_000_001), bytes.subarray(5_000_001)]), 1_000_000, 4);
    expect((await blob.downloadToBuffer(0, undefined, { blockSize: 700_000 })).equals(bytes)).toBe(true);
    expect((await blob.downloadToBuffer(123, 456_789)).equals(bytes.subarray(123, 456_912))).toBe(true);
    await storage.settled();
    const created = storage.events.slice(from);
    expect(created.map(({ data }) => [data.api, data.contentLength])).toEqual([['PutBlockList', 9_000_000]]);
  });

  it('uploads one large body in a single streamed Put Blob', async () => {
    const bytes = randomBytes(6_000_000);
    const blob = container.getBlockBlobClient('one-body');
    const { etag } = await blob.upload(bytes, bytes.length, { blobHTTPHeaders: { blobContentType: 'image/png' } });
    expect((await blob.downloadToBuffer()).equals(bytes)).toBe(true);
    await storage.settled();
    expect(storage.events.at(-1)?.data).toMatchObject({
      api: 'PutBlob',
      contentLength: bytes.length,
      contentType: 'image/png',
      blobType: 'BlockBlob',
      eTag: etag?.replaceAll('"', ''),
    });
  });

  it('copies, at once and by URL, and says so', async () => {
    const source = container.getBlockBlobClient('plain.txt');
    const copy = container.getBlobClient('copied');
    await (await copy.beginCopyFromURL(source.url)).pollUntilDone();
    await container.getBlobClient('copied-sync').syncCopyFromURL(source.url);
    expect((await copy.downloadToBuffer()).toString()).toBe('plain.txt');
    await storage.settled();
    const copies = storage.events.filter(({ data }) => data.api === 'CopyBlob');
    expect(copies.map(({ subject, data }) => [subject.split('/').at(-1), data.contentLength])).toEqual([
      ['copied', 9],
      ['copied-sync', 9],
    ]);
    expect(copies[0]?.data.eTag).toBe((await copy.getProperties()).etag?.replaceAll('"', ''));
  });

  it('appends, writes pages, and tells of their creation alone', async () => {
    const from = storage.events.length;
    const append = container.getAppendBlobClient('appended');
    await append.create();
    await append.appendBlock('one', 3);
    await append.appendBlock('two', 3, { conditions: { appendPosition: 3 } });
    await expect(append.appendBlock('no', 2, { conditions: { appendPosition: 3 } })).rejects.toMatchObject({
      statusCode: 412,
    });
    expect((await append.downloadToBuffer()).toString()).toBe('onetwo');
    const pages = container.getPageBlobClient('paged');
    await pages.create(2_048);
    await pages.uploadPages(Buffer.alloc(512, 7), 512, 512);
    expect((await pages.downloadToBuffer())[600]).toBe(7);
    await storage.settled();
    expect(storage.events.slice(from).map(({ data }) => [data.api, data.blobType, data.contentLength])).toEqual([
      ['PutBlob', 'AppendBlob', 0],
      ['PutBlob', 'PageBlob', 2_048],
    ]);
  });

  it('leases, conditions, tags, metadata, properties and snapshots work, and Event Grid keeps silent on them', async () => {
    const blob = container.getBlockBlobClient('managed');
    await blob.upload('managed', 7);
    await storage.settled();
    const from = storage.events.length;
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    await expect(blob.upload('locked', 6)).rejects.toMatchObject({ statusCode: 412 });
    await lease.releaseLease();
    await expect(blob.upload('x', 1, { conditions: { ifNoneMatch: '*' } })).rejects.toMatchObject({ statusCode: 409 });
    await blob.setMetadata({ owner: 'a' });
    await blob.setTags({ tag: 'b' });
    await blob.setHTTPHeaders({ blobContentType: 'text/markdown' });
    const { snapshot } = await blob.createSnapshot();
    expect((await blob.withSnapshot(snapshot ?? '').downloadToBuffer()).toString()).toBe('managed');
    await blob.withSnapshot(snapshot ?? '').delete();
    expect((await blob.getProperties()).metadata).toEqual({ owner: 'a' });
    await storage.settled();
    expect(storage.events.slice(from)).toEqual([]);
  });

  it('tells a change of tier with the tier before, and not a tier that stays', async () => {
    const blob = container.getBlockBlobClient('tiered');
    await blob.upload('tiered', 6);
    await blob.setAccessTier('Cool');
    await blob.setAccessTier('Cool');
    await blob.setAccessTier('Archive');
    await storage.settled();
    const changed = storage.events.filter(({ eventType }) => eventType === 'Microsoft.Storage.BlobTierChanged');
    expect(changed.map(({ data }) => [data.previousTier, data.accessTier])).toEqual([
      ['Hot', 'Cool'],
      ['Cool', 'Archive'],
    ]);
  });

  it('deletes and tiers in batches, and tells each part that succeeded', async () => {
    const names = ['batch/a b', 'batch/%', 'batch/漢', 'batch/never-written'];
    const blobs = names.map((name) => container.getBlockBlobClient(name));
    for (const blob of blobs.slice(0, 3)) await blob.upload('batch', 5);
    await storage.settled();
    const from = storage.events.length;
    const batch = new BlobBatchClient(storage.account.url, storage.account.credential as never);
    const tiered = await batch.setBlobsAccessTier(blobs.slice(0, 2), 'Cool');
    expect(tiered.subResponsesSucceededCount).toBe(2);
    const deleted = await batch.deleteBlobs(blobs);
    expect([deleted.subResponsesSucceededCount, deleted.subResponsesFailedCount]).toEqual([3, 1]);
    await storage.settled();
    const told = storage.events.slice(from);
    expect(told.map(({ data }) => data.api).sort()).toEqual([
      'DeleteBlob',
      'DeleteBlob',
      'DeleteBlob',
      'SetBlobTier',
      'SetBlobTier',
    ]);
    expect(new Set(told.map(({ data }) => data.requestId)).size).toBe(5);
    expect(told.filter(({ data }) => data.api === 'DeleteBlob').every(({ data }) => data.contentLength === 5)).toBe(
      true,
    );
  });

  it('takes account and blob SAS', async () => {
    const blob = container.getBlockBlobClient('with sas?');
    const expiresOn = new Date(Date.now() + 3_600_000);
    const url = await blob.generateSasUrl({ permissions: BlobSASPermissions.parse('cwr'), expiresOn });
    await new BlockBlobClient(url).upload('sas', 3);
    expect((await blob.downloadToBuffer()).toString()).toBe('sas');
    const accountUrl = storage.account.generateAccountSasUrl(expiresOn, AccountSASPermissions.parse('rl'), 'sco');
    expect(
      await new BlobServiceClient(accountUrl).getContainerClient('conformance').getBlobClient('with sas?').exists(),
    ).toBe(true);
    await expect(new BlockBlobClient(blob.url).upload('none', 4)).rejects.toMatchObject({ statusCode: 403 });
  });

  it('answers Expect: 100-continue, chunked bodies and one kept connection', async () => {
    const blob = container.getBlockBlobClient('raw-http');
    const url = await blob.generateSasUrl({
      permissions: BlobSASPermissions.parse('cw'),
      expiresOn: new Date(Date.now() + 60_000),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const put = (headers: Record<string, string>, chunks: string[], expects = false, to = url) =>
      new Promise<{ status: number; continued: boolean; reused: boolean }>((resolve, reject) => {
        let continued = false;
        const sending = request(to, { method: 'PUT', agent, headers: { 'x-ms-blob-type': 'BlockBlob', ...headers } });
        const send = (): void => {
          for (const chunk of chunks) sending.write(chunk);
          sending.end();
        };
        sending.on('continue', () => {
          continued = true;
          send();
        });
        sending.on('error', reject);
        sending.on('response', (answer) => {
          answer.resume();
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, continued, reused: sending.reusedSocket }));
        });
        if (expects) sending.flushHeaders();
        else send();
      });
    const expecting = await put({ expect: '100-continue', 'content-length': '6' }, ['abc', 'def'], true);
    expect(expecting).toEqual({ status: 201, continued: true, reused: false });
    const length = await put({ 'content-length': '9' }, ['abc', 'def', 'ghi']);
    expect(length).toEqual({ status: 201, continued: false, reused: true });
    expect((await blob.downloadToBuffer()).toString()).toBe('abcdefghi');
    // Azurite wants a length; what matters is that the front changes nothing about it.
    const direct = url.replace(storage.endpoint, storage.azurite.url.replace(/\/$/, ''));
    const chunked = { 'transfer-encoding': 'chunked' };
    const expected = await put(chunked, ['abc', 'def'], false, direct);
    expect((await put(chunked, ['abc', 'def'])).status).toBe(expected.status);
    agent.destroy();
  });

  it('3: refuses the name of a deleted container for 30 s, then gives it a new version', async () => {
    const name = 'short-lived';
    storage.clock.set(new Date().toISOString());
    const first = await storage.container(name);
    await first.getBlockBlobClient('a').upload('1', 1);
    await first.delete();
    await expect(first.create()).rejects.toMatchObject({ statusCode: 409, code: 'ContainerBeingDeleted' });
    await expect(first.getBlobClient('a').getProperties()).rejects.toMatchObject({ statusCode: 404 });
    storage.clock.set(new Date(storage.clock.now() + 29_000).toISOString());
    await expect(first.create()).rejects.toMatchObject({ statusCode: 409 });
    storage.clock.set(new Date(storage.clock.now() + 1_000).toISOString());
    await first.create();
    expect(await first.getBlobClient('a').exists()).toBe(false);
  });

  it('1: gives changes of one blob sequencers in the order in which Azurite applied them', async () => {
    const source = container.getBlockBlobClient('plain.txt');
    const from = storage.events.length;
    const names = Array.from({ length: 30 }, (_, at) => `contended/${at}`);
    const tasks = [];
    for (const name of names) {
      const blob = container.getBlockBlobClient(name);
      await blob.stageBlock('AAAA', 'from blocks', 11);
      // The front asks Azurite more about some of these than about others, before or after they are applied.
      tasks.push(blob.commitBlockList(['AAAA']).catch(() => undefined));
      tasks.push(blob.upload('at once', 7));
      tasks.push(blob.syncCopyFromURL(source.url));
      tasks.push(blob.deleteIfExists());
    }
    await Promise.all(tasks);
    await storage.settled();
    const newest = new Map<string, EventGridEvent>();
    for (const event of storage.events.slice(from)) {
      const other = newest.get(event.subject);
      if (other === undefined || sequencerOf(other) < sequencerOf(event)) newest.set(event.subject, event);
    }
    for (const name of names) {
      const event = newest.get(`/blobServices/default/containers/conformance/blobs/${name}`);
      const blob = storage.azurite.getContainerClient('conformance').getBlobClient(name);
      const truth = (await blob.exists()) ? (await blob.getProperties()).etag?.replaceAll('"', '') : 'deleted';
      expect([name, event?.data.api === 'DeleteBlob' ? 'deleted' : event?.data.eTag]).toEqual([name, truth]);
    }
  });
});

function sequencerOf({ data }: EventGridEvent): string {
  return String(data.sequencer).toLowerCase();
}
