import { BlobBatchClient } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { isSameRequest } from '../../../namespace/trust.ts';
import { readFeed } from './read-feed.ts';
import { startTestStorage } from './test-storage.ts';

describe('trigger and feed of the embedded account', () => {
  it('tell each change under one request and with one sequencer, and no two changes of a blob under one', async () => {
    await using storage = await startTestStorage();
    const container = await storage.container('lake');
    const blobs = ['a', 'b'].map((name) => container.getBlockBlobClient(name));
    const batch = new BlobBatchClient(storage.account.url, storage.account.credential as never);
    for (let round = 0; round < 3; round++) {
      for (const blob of blobs) {
        await blob.upload('one', 3);
        await blob.setAccessTier('Cool');
        await blob.upload('other', 5);
      }
      await batch.deleteBlobs(blobs);
    }
    await storage.settled();
    const records = await readFeed(storage.account);
    expect(storage.events).toHaveLength(24);
    for (const event of storage.events) {
      const same = records.filter((each) => each.subject === event.subject && isSameRequest(each.id, event.id));
      expect(same.map(({ data }) => data.sequencer)).toEqual([event.data.sequencer]);
    }
  });
});
