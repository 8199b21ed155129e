import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AzureFeedStore } from '../../../activities/azure/azure-feed-store.ts';
import type { FeedStart } from '../../../activities/azure/feed-page.ts';
import { FeedReader } from '../../../activities/azure/feed-reader.ts';
import { drainFeed } from './drain-feed.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from './memory-feed.ts';
import { testAzurite } from './test-azurite.ts';

const signal = new AbortController().signal;

describe('the feed of an account', () => {
  let azurite: Awaited<ReturnType<typeof testAzurite>>;
  let store: AzureFeedStore;

  beforeAll(async () => {
    azurite = await testAzurite();
    store = new AzureFeedStore(azurite.service);
  });
  afterAll(() => azurite[Symbol.asyncDispose]());

  it('is said to be missing where there is none, then is tailed as it grows in append blobs', async () => {
    await expect(store.readText('meta/segments.json', {}, signal)).rejects.toMatchObject({
      code: 'ISTHMUS_FEED_UNAVAILABLE',
    });

    const container = azurite.service.getContainerClient('$blobchangefeed');
    await container.create();
    expect(await store.readText('meta/segments.json', {}, signal)).toBeUndefined();

    const written = new MemoryFeed();
    written.segment(0, 'Publishing');
    for (const [path, bytes] of written.files) await container.getBlockBlobClient(path).upload(bytes, bytes.length);
    const path = `${written.shard(0)}00000.avro`;
    const chunk = container.getAppendBlobClient(path);
    await chunk.create();
    const reader = new FeedReader(store, { source: 'feed' });
    const read: string[] = [];
    let cursor: FeedStart | undefined;
    const parts = [avroHeader(), avroBlock([feedRecord(1), feedRecord(2)]), avroBlock([feedRecord(3)])];
    for (const part of [...parts.flatMap((whole) => [whole.subarray(0, 20), whole.subarray(20)]), Buffer.from('')]) {
      if (part.length > 0) await chunk.appendBlock(part, part.length);
      const drained = await drainFeed(reader, cursor);
      read.push(...drained.names);
      cursor = drained.cursor;
    }
    expect(read).toEqual(['blob-1', 'blob-2', 'blob-3']);

    const { contentLength = 0 } = await chunk.getProperties();
    for (const past of [0, 1, 100])
      expect(await store.readRange(path, contentLength + past, 10, {}, signal)).toMatchObject({ bytes: { length: 0 } });
    expect(await store.readRange('log/gone.avro', 0, 10, {}, signal)).toBeUndefined();
  });
});
