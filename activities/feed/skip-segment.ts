import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import { lengthToSkip, parseManifest } from '../../schema/feed/manifest.ts';
import type { FeedCursor } from '../../schema/index/feed-cursors.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import type { FeedStart } from '../azure/feed-page.ts';
import { nextSegment } from './next-segment.ts';

/** What is left out with a manifest that cannot be read: its whole segment, from which nothing else tells of shards. */
export interface SegmentSkip {
  readonly length: number;
  readonly to: FeedStart;
}

/**
 * Where to go on behind a damaged manifest.
 *
 * @returns why that cannot be, where it cannot.
 */
export async function skipSegment(
  store: FeedStore,
  cursor: FeedCursor,
  manifest: string,
  signal: AbortSignal,
): Promise<SegmentSkip | string> {
  const file = await store.readText(manifest, {}, signal);
  if (typeof file !== 'object') return 'the feed has no such segment';
  try {
    parseManifest(manifest, file.text);
    return 'its manifest can be read';
  } catch (error) {
    if (!(error instanceof FeedCorruptError)) throw error;
  }
  const { next: stop } = await nextSegment(store, cursor.segment, cursor.segment, signal);
  if (manifest !== cursor.segment && manifest !== stop) return `the feed stands at ${cursor.segment}`;
  const { next } = await nextSegment(store, manifest, manifest, signal);
  if (next === undefined) return 'no segment has been opened after it';
  return { length: lengthToSkip(file.text), to: { segment: next, shards: {} } };
}
