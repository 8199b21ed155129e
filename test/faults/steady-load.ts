import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';

export interface SteadyLoad {
  /** Changes that the service confirmed, by kind, and requests that failed. */
  readonly counts: Readonly<{ created: number; overwritten: number; deleted: number; failed: number }>;
  /** Stops writing and waits for what is under way. */
  stop(): Promise<void>;
}

/** So many changes a second by a real client: half are new names, three in ten overwrite one, two in ten delete one. */
export function startSteadyLoad(container: ContainerClient, perSecond: number, random: () => number): SteadyLoad {
  const counts = { created: 0, overwritten: 0, deleted: 0, failed: 0 };
  const stopped = new AbortController();
  const live: string[] = [];
  let named = 0;
  const pick = () => Math.floor(random() * live.length);
  const put = async (name: string): Promise<void> => {
    const body = 'x'.repeat(1 + Math.floor(random() * 500));
    await container.getBlockBlobClient(name).upload(body, body.length);
  };
  const one = async (): Promise<void> => {
    const kind = random();
    try {
      if (kind < 0.5 || live.length === 0) {
        const name = `year=2026/dir-${named % 97}/part-${String(named++).padStart(8, '0')}.parquet`;
        await put(name);
        live.push(name);
        counts.created++;
      } else if (kind < 0.8) {
        await put(live[pick()] ?? '');
        counts.overwritten++;
      } else {
        const [name] = live.splice(pick(), 1);
        await container.getBlobClient(name ?? '').delete();
        counts.deleted++;
      }
    } catch {
      counts.failed++;
    }
  };
  const running = (async () => {
    const began = performance.now();
    // Paced by the clock from the beginning: a slow request is caught up with, and the rate stays what was asked.
    for (let at = 1; !stopped.signal.aborted; at++) {
      await one();
      const rest = began + (at * 1000) / perSecond - performance.now();
      if (rest > 0) await sleep(rest, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    counts,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
