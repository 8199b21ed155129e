import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobServiceClient } from '@azure/storage-blob';

export interface Load {
  /** Stops writing and waits for the writes in flight. */
  stop(): Promise<{ readonly writes: number; readonly deletes: number; readonly failed: number }>;
}

/** A steady load from a real client: so many operations a second over a few hundred names, a quarter of them deletes. */
export async function startLoad(blobs: BlobServiceClient, perSecond: number, random: () => number): Promise<Load> {
  const container = blobs.getContainerClient('steady');
  await container.createIfNotExists();
  const counts = { writes: 0, deletes: 0, failed: 0 };
  const stopped = new AbortController();
  const inFlight = new Set<Promise<void>>();
  const one = async (): Promise<void> => {
    const blob = container.getBlockBlobClient(`dir-${Math.floor(random() * 20)}/blob-${Math.floor(random() * 40)}`);
    try {
      if (random() < 0.25) {
        await blob.deleteIfExists();
        counts.deletes++;
      } else {
        const body = 'x'.repeat(1 + Math.floor(random() * 500));
        await blob.upload(body, body.length);
        counts.writes++;
      }
    } catch {
      counts.failed++;
    }
  };
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const running = one().finally(() => inFlight.delete(running));
      inFlight.add(running);
      await sleep(1000 / perSecond, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await loop;
      await Promise.all(inFlight);
      return counts;
    },
  };
}
