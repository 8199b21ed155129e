import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { startStack } from '../infra/local/stack.ts';
import { connectionStringOn, FEED_CONTAINER } from '../infra/local/storage/account.ts';
import { StorageControl } from '../infra/local/storage/control-client.ts';
import { openIndex } from '../schema/index/database.ts';
import { type Latencies, latenciesOf } from './feed/latencies.ts';
import { type Arrival, LatencyProbe } from './feed/latency-probe.ts';

export interface FeedTailBenchmark {
  readonly bench: 'feed-tail';
  readonly changes: number;
  /** From a record being readable in the feed to its change being in the index, in a system that does nothing else. */
  readonly tailLatencySeconds: Latencies;
}

const CONTAINER = 'idle';
const LOOK_EVERY_MS = 25;
const WITHIN_MS = 120_000;

/**
 * Measures the tail of an idle system: the embedded stack with its worker and no triggers, one change at a time, each
 * at another moment between two polls.
 */
export async function runFeedTail(changes = 50): Promise<FeedTailBenchmark> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-bench-'));
  await using stack = await startStack({ state: folder, ports: 'free', worker: true });
  const index = openIndex(stack.env.DATABASE_URL ?? '', { max: 2, applicationName: 'isthmus-probe' });
  try {
    await new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? '').setFaults({ triggers: { dropRate: 1 } });
    const account = BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? '');
    const container = account.getContainerClient(CONTAINER);
    await container.create();
    const azurite = BlobServiceClient.fromConnectionString(connectionStringOn(stack.ports.azurite));
    const feed = azurite.getContainerClient(FEED_CONTAINER);
    await using probe = new LatencyProbe({ feed, index, container: CONTAINER, everyMs: LOOK_EVERY_MS });
    const samples: number[] = [];
    // The first change opens the feed, and the worker may not have looked for one yet: it does not count.
    for (let at = 0; at <= changes; at++) {
      await sleep(1_000 + ((at * 389) % 1_000));
      await container.getBlockBlobClient(`blob-${at}`).upload('x', 1);
      const taken = await arrived(probe);
      if (at > 0) samples.push(...taken.map(({ ms }) => ms));
    }
    return { bench: 'feed-tail', changes, tailLatencySeconds: latenciesOf(samples) };
  } finally {
    await index.close();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function arrived(probe: LatencyProbe): Promise<readonly Arrival[]> {
  for (const until = Date.now() + WITHIN_MS; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
    const taken = probe.take();
    if (taken.length > 0) return taken;
  }
  throw new Error(`a change did not reach the index; probe: ${probe.lastError ?? 'no error'}`);
}
