import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Key } from '../../../namespace/key.ts';
import { pathOf } from '../../../namespace/path.ts';
import { AWKWARD_NAMES, shardName } from '../names.ts';
import { inParallel } from '../parallel.ts';
import type { Step, Story } from '../story.ts';
import { awaitTruth } from '../truth.ts';

export const LAKE = 'lake';
export const MODELS = 'models';
export const SCRATCH = 'scratch';
/** What is in it needs approval to be deleted, by the rule that the demo's federation has for it. */
export const ARCHIVE = 'archive';
export const ARCHIVED = 60;
const ROOT = '$root';
const SHARDS = 2_400;
const SCRATCH_BLOBS = 200;
const AT_ONCE = 24;

/** Uploads the lake with a real Azure client and measures, per blob, how long after the write its stub stood there. */
export const uploadStep: Step = {
  title: 'Upload: stubs appear by triggers',
  async run(story, say) {
    say('filling a container and deleting it: its name is refused for 30 s, and comes back in the next step');
    await upload(story, scratchKeys());
    await awaitTruth(story, SCRATCH);
    await story.blobs.getContainerClient(SCRATCH).delete();
    story.scratchDeletedAt = Date.now();
    const keys = lakeKeys();
    say(`uploading ${keys.length} blobs`);
    const began = performance.now();
    const written = await upload(story, keys);
    const uploadMs = performance.now() - began;
    say('waiting for the last stub');
    for (const container of [LAKE, MODELS, ROOT, ARCHIVE]) await awaitTruth(story, container);
    const latencies = await stubLatencies(story, written);
    return {
      blobs: keys.length,
      uploadsPerSecond: Math.round((keys.length / uploadMs) * 1000),
      stubs: latencies.length,
      noFile: keys.length - latencies.length,
      stubP50Ms: percentile(latencies, 0.5),
      stubP99Ms: percentile(latencies, 0.99),
      lastStubMs: latencies.at(-1) ?? 0,
    };
  },
};

/** `shadow` is a blob and a directory at once, and some names fit no path: those have no stub, and `isthmus ls` says so. */
async function stubLatencies(story: Story, written: readonly { key: Key; at: number }[]): Promise<number[]> {
  const latencies: number[] = [];
  for (const { key, at } of written) {
    const mapped = pathOf(key);
    if ('unrepresentable' in mapped) continue;
    const stat = await lstat(path.join(story.stack.env.ISTHMUS_VAST_ROOT ?? '', mapped.path)).catch(() => undefined);
    // The rename that makes a stub visible sets its ctime.
    if (stat?.isFile()) latencies.push(Math.max(0, Math.round(stat.ctimeMs - at)));
  }
  return latencies.sort((a, b) => a - b);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function lakeKeys(): Key[] {
  return [
    ...Array.from({ length: SHARDS }, (_, at) => ({ container: LAKE, name: shardName(at) })),
    ...Array.from({ length: ARCHIVED }, (_, at) => ({ container: ARCHIVE, name: archiveName(at) })),
    ...AWKWARD_NAMES.map((name) => ({ container: MODELS, name })),
    ...AWKWARD_NAMES.filter((name) => !name.includes('/')).map((name) => ({ container: ROOT, name })),
  ];
}

export function archiveName(at: number): string {
  return `2025/${String(at % 12).padStart(2, '0')}/${at}.parquet`;
}

function scratchKeys(): Key[] {
  return Array.from({ length: SCRATCH_BLOBS }, (_, at) => ({ container: SCRATCH, name: `old/${at}` }));
}

/** When each write was answered, by this machine's clock. */
async function upload(story: Story, keys: readonly Key[]): Promise<{ key: Key; at: number }[]> {
  for (const container of new Set(keys.map((key) => key.container))) {
    await story.blobs.getContainerClient(container).createIfNotExists();
  }
  return inParallel(keys, AT_ONCE, async (key, at) => {
    const body = `${key.name}\n`.repeat(1 + (at % 7));
    await story.blobs
      .getContainerClient(key.container)
      .getBlockBlobClient(key.name)
      .upload(body, Buffer.byteLength(body));
    return { key, at: Date.now() };
  });
}
