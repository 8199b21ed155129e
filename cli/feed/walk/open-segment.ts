import type { Timestamp } from '../../../namespace/entry.ts';
import { lengthToSkip, type Manifest, parseManifest } from '../../../schema/feed/manifest.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy } from './broken.ts';
import { type ListedChunk, listChunks, missingBefore } from './chunks.ts';
import type { ListedSegment } from './segments.ts';

export interface OpenedSegment {
  readonly kind: 'segment';
  readonly path: string;
  readonly begin: Timestamp;
  readonly finalised: boolean;
  readonly shards: readonly string[];
}

export interface OpenedChunk extends ListedChunk {
  readonly kind: 'chunk';
  readonly segment: string;
  readonly shard: string;
}

/** What a segment holds, before any chunk of it is read. */
export type SegmentStep = OpenedSegment | Broken | ChunkStep;

export interface ChunkStep extends OpenedChunk {
  /** It may still be written to. */
  readonly grows: boolean;
}

/** Reads a segment's manifest and lists its chunks. */
export async function openSegment(
  store: FeedStore,
  listed: ListedSegment,
  signal: AbortSignal,
): Promise<readonly SegmentStep[]> {
  const { path, begin, until } = listed;
  const manifest = await readManifest(store, path, signal);
  if ('kind' in manifest) return [manifest];
  const { finalised } = manifest;
  const shards = [...new Set(manifest.shards)];
  const opened = shards.map((shard) => openShard(store, path, shard, !finalised && until === undefined, signal));
  return [{ kind: 'segment', path, begin, finalised, shards }, ...(await Promise.all(opened)).flat()];
}

/** @param grows its newest chunk may still be written to. */
async function openShard(
  store: FeedStore,
  segment: string,
  shard: string,
  grows: boolean,
  signal: AbortSignal,
): Promise<readonly SegmentStep[]> {
  try {
    const chunks = await listChunks(store, shard, signal);
    let expected = 0;
    return chunks.flatMap((chunk): readonly SegmentStep[] => {
      const missing = missingBefore(shard, expected, chunk);
      expected = chunk.number + 1;
      const step: SegmentStep = { kind: 'chunk', segment, shard, ...chunk, grows: grows && chunk === chunks.at(-1) };
      return missing === undefined ? [step] : [missing, step];
    });
  } catch (error) {
    const damage = brokenBy(error, shard);
    if (damage === undefined) throw error;
    return [damage];
  }
}

async function readManifest(store: FeedStore, path: string, signal: AbortSignal): Promise<Manifest | Broken> {
  let length: number | undefined;
  try {
    const file = await store.readText(path, {}, signal);
    if (file === undefined || file === 'unchanged') return broken(path, 0, 'it was removed after it was listed');
    length = lengthToSkip(file.text);
    return parseManifest(path, file.text);
  } catch (error) {
    const damage = brokenBy(error, path);
    if (damage === undefined) throw error;
    const why = `${damage.why}; it alone says which chunks are its own, so none of them is read`;
    return { ...broken(path, 0, why), reach: length };
  }
}
