import { chunkNumber } from '../../../activities/azure/chunk-listing.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy, type Note } from './broken.ts';
import type { WalkedFeed } from './walked-feed.ts';

/** Where the chunks of every shard are. */
export const CHUNKS = 'log/';

export interface ListedChunk {
  readonly path: string;
  readonly number: number;
  /** When it was listed: an open one has grown since. */
  readonly length: number;
}

/** A shard's chunks, in the order of their numbers. */
export async function listChunks(
  store: FeedStore,
  shard: string,
  signal: AbortSignal,
): Promise<readonly ListedChunk[]> {
  const chunks: ListedChunk[] = [];
  for await (const { path, length } of store.list(shard, signal)) {
    const number = chunkNumber(shard, path);
    if (number !== undefined) chunks.push({ path, number, length });
  }
  return chunks.sort((a, b) => a.number - b.number);
}

/** What is missing before a chunk, given the number that should have come. Chunks are numbered from 0 without holes. */
export function missingBefore(shard: string, expected: number, chunk: ListedChunk): Broken | undefined {
  const missing = chunk.number - expected;
  if (missing <= 0) return undefined;
  const more = missing === 1 ? '' : `, and ${missing - 1} after it`;
  return broken(
    `${shard}${String(expected).padStart(5, '0')}.avro`,
    0,
    `the chunk is missing${more}: ${chunk.path} follows`,
  );
}

/** That a feed has no chunk anywhere, though its manifests name shards: one whose segments had none would be as quiet. */
export async function noChunksAtAll(
  { store, isCopy }: WalkedFeed,
  signal: AbortSignal,
): Promise<Broken | Note | undefined> {
  try {
    for await (const _ of store.list(CHUNKS, signal)) return undefined;
    const why = 'nothing is there, though final segments name shards';
    return isCopy ? broken(CHUNKS, 0, why) : { kind: 'note', path: CHUNKS, why };
  } catch (error) {
    const damage = brokenBy(error, CHUNKS);
    if (damage === undefined) throw error;
    return damage;
  }
}
