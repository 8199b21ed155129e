import { parseManifest } from '../../../schema/feed/manifest.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { brokenBy } from '../walk/broken.ts';
import { type ListedChunk, listChunks } from '../walk/chunks.ts';

/** A segment as the account shows it now. */
export interface SegmentView {
  /** None where the manifest cannot be read. */
  readonly final: boolean | undefined;
  /** By the shard's path prefix, in the manifest's order. */
  readonly shards: ReadonlyMap<string, readonly ListedChunk[]>;
  readonly problem: string | undefined;
}

export async function viewSegment(store: FeedStore, path: string, signal: AbortSignal): Promise<SegmentView> {
  const shards = new Map<string, readonly ListedChunk[]>();
  try {
    const file = await store.readText(path, {}, signal);
    if (file === undefined || file === 'unchanged') return { final: undefined, shards, problem: 'it was removed' };
    const manifest = parseManifest(path, file.text);
    for (const shard of manifest.shards) shards.set(shard, await listChunks(store, shard, signal));
    return { final: manifest.finalised, shards, problem: undefined };
  } catch (error) {
    const damage = brokenBy(error, path);
    if (damage === undefined) throw error;
    return { final: undefined, shards, problem: damage.why };
  }
}

/** What is unread of a shard's chunks from a position on: all of them without one. */
export function unreadOf(
  chunks: readonly ListedChunk[],
  position: { readonly chunk: string; readonly offset: number } | undefined,
): { readonly bytes: number; readonly later: number; readonly length: number | undefined } {
  const at = position === undefined ? 0 : chunks.findIndex(({ path }) => path === position.chunk);
  const chunk = chunks[at];
  const later = chunks.slice(at + 1);
  const rest = chunk === undefined ? 0 : Math.max(0, chunk.length - (position?.offset ?? 0));
  const bytes = later.reduce((sum, { length }) => sum + length, rest);
  return { bytes, later: later.length, length: chunk?.length };
}
