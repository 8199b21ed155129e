import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobChangeFeedClient } from '@azure/storage-blob-changefeed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochTime, parseEpoch } from '../../../namespace/epoch.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';
import { decodeChunk, readFeed } from './read-feed.ts';
import { startTestStorage, type TestStorage } from './test-storage.ts';

async function textOf(storage: TestStorage, path: string): Promise<Record<string, unknown>> {
  const blob = storage.account.getContainerClient('$blobchangefeed').getBlobClient(path);
  return JSON.parse((await blob.downloadToBuffer()).toString()) as Record<string, unknown>;
}

/** One change of every kind in one container. */
async function changeEverything(storage: TestStorage, containerName: string): Promise<void> {
  const container = await storage.container(containerName);
  const blob = container.getBlockBlobClient('a b/ü%?');
  await blob.upload('one', 3);
  await blob.setMetadata({ owner: 'a' });
  const { contentMD5 } = await blob.getProperties();
  await blob.setHTTPHeaders({
    blobContentType: 'application/octet-stream',
    ...(contentMD5 === undefined ? {} : { blobContentMD5: contentMD5 }),
    blobContentDisposition: 'inline',
    blobContentLanguage: 'spanish',
  });
  await blob.createSnapshot();
  await blob.setAccessTier('Cool');
  await blob.stageBlock('AAAA', 'blocks', 6);
  await blob.commitBlockList(['AAAA']);
  await (await container.getBlobClient('copy').beginCopyFromURL(blob.url)).pollUntilDone();
  await container.getAppendBlobClient('append').create();
  await container.getAppendBlobClient('append').appendBlock('x', 1);
  await container.getPageBlobClient('page').create(512);
  await blob.delete({ deleteSnapshots: 'include' });
}

const KINDS = [
  'BlobCreated/PutBlob/BlockBlob',
  'BlobPropertiesUpdated/SetBlobMetadata/BlockBlob',
  'BlobPropertiesUpdated/SetBlobProperties/BlockBlob',
  'BlobSnapshotCreated/SnapshotBlob/BlockBlob',
  'BlobTierChanged/SetBlobTier/BlockBlob',
  'BlobCreated/PutBlockList/BlockBlob',
  'BlobCreated/CopyBlob/BlockBlob',
  'BlobCreated/PutBlob/AppendBlob',
  'BlobCreated/PutBlob/PageBlob',
  'BlobDeleted/DeleteBlob/BlockBlob',
];

function kindOf({ eventType, data }: { eventType: string; data: Readonly<Record<string, unknown>> }): string {
  return `${eventType}/${String(data.api)}/${String(data.blobType)}`;
}

/** The form of a value: digits and letters blurred, so that two ids or two times look alike. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

describe('the Change Feed', () => {
  it("is read by Azure's own package: finalised hours hold the events that triggers told", async () => {
    await using storage = await startTestStorage({ feed: { segmentMs: 3_600_000, flushMs: 50 } });
    for (const [hour, name] of ['first', 'second', 'third'].entries()) {
      storage.clock.set(`2026-03-0${hour + 1}T0${hour + 4}:10:00.123Z`);
      await changeEverything(storage, name);
      await storage.settled();
    }
    const client = BlobChangeFeedClient.fromConnectionString(storage.connectionString);
    const read = [];
    for await (const event of client.listChanges()) read.push(event);
    // The package leaves the newest segment out, though it can be read.
    expect(read.map((event) => `${event.eventType}/${event.data.api}/${event.data.blobType}`)).toEqual([
      ...KINDS,
      ...KINDS,
    ]);
    const told = storage.events.filter(({ subject }) => !subject.includes('/third/'));
    const inFeed = new Map(read.map((event) => [event.id, event]));
    expect(told.length).toBe(14);
    for (const event of told) {
      const record = inFeed.get(event.id);
      expect(record).toMatchObject({ subject: event.subject });
      expect(record?.data).toMatchObject({
        sequencer: event.data.sequencer,
        requestId: event.data.requestId,
        contentLength: event.data.contentLength,
      });
      // The package names it after its own model.
      expect(record?.data.etag).toBe(event.data.eTag);
      expect(event.id.slice(0, 30)).toBe(String(event.data.requestId).slice(0, 30));
    }
  });

  it("is read by Azure's own package also in three shards, each name in one of them", async () => {
    await using storage = await startTestStorage({ feed: { segmentMs: 3_600_000, flushMs: 50, shards: 3 } });
    const container = await storage.container('sharded');
    const put = async (time: string) => {
      storage.clock.set(time);
      for (let at = 0; at < 30; at++) await container.getBlockBlobClient(`blob-${at}`).upload(time, time.length);
      await storage.settled();
    };
    await put('2026-03-01T10:14:00Z');
    await put('2026-03-01T10:15:00Z');
    await put('2026-03-01T12:00:00Z');
    const read = [];
    for await (const event of BlobChangeFeedClient.fromConnectionString(storage.connectionString).listChanges()) {
      read.push(event.subject);
    }
    expect(read.length).toBe(60);
    expect(new Set(read).size).toBe(30);
    const feed = storage.account.getContainerClient('$blobchangefeed');
    const shards = new Map<string, string>();
    for await (const { name } of feed.listBlobsFlat({ prefix: 'log/' })) {
      for (const { subject } of await decodeChunk(await feed.getBlobClient(name).downloadToBuffer())) {
        const shard = name.split('/')[1] ?? '';
        expect(shards.get(subject) ?? shard).toBe(shard);
        shards.set(subject, shard);
      }
    }
    expect([...new Set(shards.values())].sort()).toEqual(['00', '01', '02']);
    expect((await readFeed(storage.account)).length).toBe(90);
  });

  it('opens a segment with the first change in it, and ends the one before only then', async () => {
    await using storage = await startTestStorage({ feed: { segmentMs: 900_000, flushMs: 50 } });
    const container = await storage.container('quiet');
    const put = async (time: string) => {
      storage.clock.set(time);
      await container.getBlockBlobClient('a').upload('x', 1);
      await storage.settled();
    };
    await put('2026-03-01T10:14:00Z');
    const first = 'idx/segments/2026/03/01/1000/meta.json';
    expect(await textOf(storage, first)).toMatchObject({ status: 'Publishing', intervalSecs: 900 });
    expect(await textOf(storage, 'meta/segments.json')).toMatchObject({
      lastConsumable: '2026-03-01T10:00:00.000Z',
      storageDiagnostics: { data: { lfz: '1601-01-01T00:00:00.000Z' } },
    });
    // Time passes without changes: nothing is finalised.
    storage.clock.set('2026-03-01T18:00:00Z');
    await storage.control.flushFeed();
    expect(await textOf(storage, first)).toMatchObject({ status: 'Publishing' });
    await put('2026-03-01T18:47:00Z');
    expect(await textOf(storage, first)).toMatchObject({ status: 'Finalized' });
    expect(await textOf(storage, 'idx/segments/2026/03/01/1845/meta.json')).toMatchObject({
      status: 'Publishing',
      begin: '2026-03-01T18:45:00.000Z',
      chunkFilePaths: ['$blobchangefeed/log/00/2026/03/01/1845/'],
    });
    expect(await textOf(storage, 'meta/segments.json')).toMatchObject({
      lastConsumable: '2026-03-01T18:45:00.000Z',
      storageDiagnostics: { data: { lfz: '2026-03-01T10:00:00.000Z' } },
    });
    const chunk = storage.account
      .getContainerClient('$blobchangefeed')
      .getBlobClient('log/00/2026/03/01/1845/00000.avro');
    expect(await chunk.getProperties()).toMatchObject({ blobType: 'AppendBlob', contentType: 'avro/binary' });
  });
});

describe('a record of the Change Feed', () => {
  let storage: TestStorage;

  beforeAll(async () => {
    storage = await startTestStorage({ containerNameHoldMs: 0 });
  });
  afterAll(() => storage[Symbol.asyncDispose]());

  it.skipIf(!hasRealData)('holds records of the shape of the real ones', async () => {
    await changeEverything(storage, 'shapes');
    await storage.settled();
    const samples = JSON.parse(
      readFileSync(join(REAL_DATA, 'changefeed/schemas/decoded-record-samples.json'), 'utf8'),
    ) as Record<string, Record<string, unknown> & { data: Record<string, unknown> }>;
    const records = await readFeed(storage.account);
    expect(records.map(kindOf)).toEqual(KINDS);
    for (const record of records) {
      const sample = samples[`v4 ${kindOf(record)}`] ?? expect.fail(`no sample of ${kindOf(record)}`);
      // Those accounts kept versions; Azurite cannot.
      const real = { ...sample, data: { ...sample.data, blobVersion: null } as Record<string, unknown> };
      expect(shapeOf(record)).toEqual(shapeOf(real));
      for (const [key, pattern] of [
        ['sequencer', /^0{16}[0-9A-F]{16}[0-9a-f]{16}$/],
        ['containerVersion', /^[0-9A-F]{16}$/],
        ['etag', /^0x[0-9A-F]{15,}$/],
        ['requestId', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
      ] as const) {
        expect(String(record.data[key])).toMatch(pattern);
        expect(String(real.data[key])).toMatch(pattern);
      }
      expect(record.id).toMatch(/-[0-9a-f]{6}06[0-9a-f]{4}$/);
      expect(record.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    }
    expect(records[2]?.data.blobPropertiesUpdated).toEqual({
      ContentDisposition: { current: 'inline', previous: '' },
      ContentLanguage: { current: 'spanish', previous: '' },
    });
    expect(records[4]?.data).toMatchObject({ blobTier: 'Cool', previousInfo: { PreviousTier: 'Hot' } });
  });

  it('tells no container delete, and the next incarnation by a later containerVersion', async () => {
    const from = (await readFeed(storage.account)).length;
    for (let round = 0; round < 2; round++) {
      const container = await storage.container('again');
      await container.getBlockBlobClient('a').upload('x', 1);
      await container.delete();
    }
    await storage.settled();
    const records = (await readFeed(storage.account)).slice(from);
    expect(records.map(kindOf)).toEqual(['BlobCreated/PutBlob/BlockBlob', 'BlobCreated/PutBlob/BlockBlob']);
    const epochs = records.map(({ data }) => parseEpoch(String(data.containerVersion)) ?? expect.fail('no epoch'));
    expect((epochs[0] ?? '') < (epochs[1] ?? '')).toBe(true);
    for (const [at, epoch] of epochs.entries()) {
      expect(epochTime(epoch)).toBeLessThanOrEqual(Date.parse(records[at]?.eventTime ?? ''));
    }
    expect(storage.events.filter(({ subject }) => subject.includes('/again/')).length).toBe(2);
  });

  it('records $logs, of which Event Grid keeps silent, and never itself', async () => {
    const from = (await readFeed(storage.account)).length;
    const told = storage.events.length;
    const logs = await storage.container('$logs');
    await logs.getBlockBlobClient('2026/log').upload('x', 1);
    await storage.settled();
    await storage.account.getContainerClient('$blobchangefeed').getBlockBlobClient('meta/other').upload('x', 1);
    await storage.settled();
    expect((await readFeed(storage.account)).slice(from).map(({ subject }) => subject)).toEqual([
      '/blobServices/default/containers/$logs/blobs/2026/log',
    ]);
    expect(storage.events.length).toBe(told);
  });
});
