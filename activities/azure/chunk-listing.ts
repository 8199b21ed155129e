import { FeedGapError } from '../../schema/feed/feed-error.ts';
import type { ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedFile, FeedStore } from '../../schema/ports/feed-store.ts';

/**
 * The chunks of a shard, in order. They are numbered from 0 without holes; what the cursor points into must be there.
 *
 * @throws FeedGapError
 */
export async function listChunks(
  store: FeedStore,
  prefix: string,
  position: ShardPosition | undefined,
  signal: AbortSignal,
): Promise<readonly FeedFile[]> {
  const chunks: FeedFile[] = [];
  for await (const file of store.list(prefix, signal)) {
    if (chunkNumber(prefix, file.path) !== undefined) chunks.push(file);
  }
  chunks.sort((a, b) => (chunkNumber(prefix, a.path) ?? 0) - (chunkNumber(prefix, b.path) ?? 0));
  refuseGaps(prefix, chunks, position);
  return chunks;
}

/** `00000.avro` → 0. Anything else is no chunk. */
export function chunkNumber(prefix: string, path: string): number | undefined {
  const digits = path.startsWith(prefix) ? /^(\d+)\.avro$/.exec(path.slice(prefix.length))?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function refuseGaps(prefix: string, chunks: readonly FeedFile[], position: ShardPosition | undefined): void {
  if (position !== undefined) {
    const chunk = chunks.find(({ path }) => path === position.chunk);
    if (chunk === undefined) throw new FeedGapError(position.chunk, 'is gone');
    if (chunk.length < position.offset) throw new FeedGapError(position.chunk, 'is shorter than what was read of it');
  }
  const first = position === undefined ? 0 : (chunkNumber(prefix, position.chunk) ?? 0);
  let expected = first;
  for (const { path } of chunks) {
    const number = chunkNumber(prefix, path) ?? 0;
    if (number < first) continue;
    if (number !== expected) throw new FeedGapError(`${prefix}${String(expected).padStart(5, '0')}.avro`, 'is gone');
    expected++;
  }
}
