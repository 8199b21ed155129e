import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { BlobChangeFeedClient } from '@azure/storage-blob-changefeed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveBlobs } from '../../bench/feed/blob-server.ts';
import { latenciesOf } from '../../bench/feed/latencies.ts';
import { type WrittenFeed, writeFeed } from '../../bench/feed/write-feed.ts';
import { connectionStringOn } from '../../infra/local/storage/account.ts';
import { type DecodedRecord, decodeChunk } from '../infra/storage/read-feed.ts';

const RECORDS = 6_000;

describe('the feed of the benchmark', () => {
  let folder: string;
  let written: WrittenFeed;
  let served: Awaited<ReturnType<typeof serveBlobs>>;
  const records: DecodedRecord[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-test-'));
    written = writeFeed(folder, { records: RECORDS, shards: 3 });
    for (const file of await readdir(folder, { recursive: true })) {
      if (file.endsWith('.avro')) records.push(...(await decodeChunk(await readFile(join(folder, file)))));
    }
    served = await serveBlobs(folder);
  });
  afterAll(async () => {
    served.server.closeAllConnections();
    await new Promise((resolve) => served.server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('has the records that were asked for, three in ten overwrites and one in ten deletes of what is there', () => {
    expect(records.length).toBe(RECORDS);
    expect(new Set(records.map(({ id }) => id)).size).toBe(RECORDS);
    const deletes = records.filter(({ eventType }) => eventType === 'BlobDeleted');
    const names = new Set(records.map(({ subject }) => subject));
    expect(names.size).toBe(written.names);
    expect(deletes.length / RECORDS).toBeCloseTo(0.1, 1);
    expect((RECORDS - names.size - deletes.length) / RECORDS).toBeCloseTo(0.3, 1);
    const live = new Map<string, boolean>();
    for (const { subject, eventType } of records.toSorted((a, b) => (sequencer(a) < sequencer(b) ? -1 : 1))) {
      if (eventType === 'BlobDeleted') expect(live.get(subject)).toBe(true);
      live.set(subject, eventType !== 'BlobDeleted');
    }
  });

  it("has names of 60 to 100 bytes, and records of real ones' size", () => {
    for (const { subject } of records) {
      const { length } = subject.split('/blobs/')[1] ?? '';
      expect(length).toBeGreaterThanOrEqual(60);
      expect(length).toBeLessThanOrEqual(100);
    }
    expect(written.bytes / RECORDS).toBeGreaterThan(600);
    expect(written.bytes / RECORDS).toBeLessThan(750);
  });

  it("is served such that Azure's own package reads every segment but the newest, which it never reads", async () => {
    const client = BlobChangeFeedClient.fromConnectionString(connectionStringOn(served.port));
    const read: string[] = [];
    for await (const { id } of client.listChanges()) read.push(id);
    expect(new Set(read).size).toBe(RECORDS / 2);
  });

  it('is served with ranges, conditions and properties as Blob Storage has them', async () => {
    const container = BlobServiceClient.fromConnectionString(connectionStringOn(served.port), {
      retryOptions: { maxTries: 1 },
    }).getContainerClient('$blobchangefeed');
    const names: string[] = [];
    const pages = container.listBlobsFlat({ prefix: 'log/' }).byPage({ maxPageSize: 2 });
    for await (const { segment } of pages) names.push(...segment.blobItems.map(({ name }) => name));
    expect(names).toEqual(names.toSorted());
    expect(names.length).toBe(written.chunks);
    const blob = container.getBlobClient(names[0] ?? '');
    const whole = await readFile(join(folder, '$blobchangefeed', names[0] ?? ''));
    const { contentLength = 0, etag = '' } = await blob.getProperties();
    expect(contentLength).toBe(whole.length);
    expect(await blob.downloadToBuffer(10, 100)).toEqual(whole.subarray(10, 110));
    await expect(blob.download(contentLength, 10)).rejects.toMatchObject({ statusCode: 416 });
    await expect(blob.download(0, 10, { conditions: { ifNoneMatch: etag } })).rejects.toMatchObject({
      statusCode: 304,
    });
    await expect(container.getBlobClient('none').download()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('latencies', () => {
  it('name the half, all but one in a hundred, and the longest, in seconds', () => {
    const samples = Array.from({ length: 200 }, (_, at) => 10 * (at + 1));
    expect(latenciesOf(samples)).toEqual({ count: 200, p50: 1, p99: 1.98, max: 2 });
    expect(latenciesOf([])).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
  });
});

function sequencer({ data }: DecodedRecord): bigint {
  return BigInt(`0x${data.sequencer}`);
}
