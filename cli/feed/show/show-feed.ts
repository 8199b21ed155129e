import { hasCode, messageOf } from '../../../schema/errors.ts';
import { FeedUnavailableError } from '../../../schema/feed/feed-error.ts';
import { parseSegments, SEGMENTS_FILE } from '../../../schema/feed/segments.ts';
import type { FeedCursor } from '../../../schema/index/feed-cursors.ts';
import type { FeedStanding } from '../../../schema/index/feed-standing.ts';
import type { FeedShowOutput } from '../../../schema/outputs/feed-show.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { formatTime } from '../../format.ts';
import { type SegmentView, unreadOf, viewSegment } from './segment-view.ts';
import { segmentsAround } from './segments-around.ts';

/** How far the index has read the feed. */
export interface ReadSoFar {
  readonly cursor: FeedCursor | undefined;
  readonly standing: FeedStanding;
}

/** What the feed itself shows, held against how far it is read. */
export type ShownFeed = Pick<FeedShowOutput, 'feed' | 'segments' | 'shards'>;

/** Never throws for want of a feed: that there is none, and why, is what is shown then. */
export async function showFeed(store: FeedStore, read: ReadSoFar | undefined, signal: AbortSignal): Promise<ShownFeed> {
  const none = { lastConsumable: null, segments: 0, segmentsAhead: null, notYet: 0, oldest: null, newest: null };
  try {
    return await lookAt(store, read, signal);
  } catch (error) {
    signal.throwIfAborted();
    const unavailable = error instanceof FeedUnavailableError;
    if (!unavailable && !hasCode(error, 'ISTHMUS_SOURCE_UNAVAILABLE')) throw error;
    const message = messageOf(error);
    const why = unavailable ? error.why : 'unreachable';
    const isSeen = why !== 'unreachable' && why !== 'forbidden';
    const feed = { exists: isSeen ? why === 'disabled' : null, why, message, ...none, problems: [] };
    return { feed, segments: [], shards: [] };
  }
}

async function lookAt(store: FeedStore, read: ReadSoFar | undefined, signal: AbortSignal): Promise<ShownFeed> {
  const reading = read?.cursor?.segment;
  const found = await segmentsAround(store, reading, signal);
  const segments: FeedShowOutput['segments'] = [];
  let shards: FeedShowOutput['shards'] = [];
  for (const { path, begin } of found.around) {
    const view = await viewSegment(store, path, signal);
    const place = reading === undefined || path > reading ? 'ahead' : path === reading ? 'reading' : 'read';
    segments.push({ path, begin: formatTime(begin), place, ...sizesOf(view, place, read?.cursor) });
    if (place === 'reading') shards = shardsOf(view, read);
  }
  const { ahead, notYet, oldest, newest, broken } = found;
  const feed = {
    exists: true,
    why: null,
    message: null,
    lastConsumable: await lastConsumableOf(store, signal),
    segments: found.segments,
    segmentsAhead: ahead ?? null,
    notYet,
    oldest: oldest === undefined ? null : formatTime(oldest),
    newest: newest === undefined ? null : formatTime(newest),
    problems: broken.map(({ path, why }) => `${path}: ${why}`),
  };
  return { feed, segments, shards };
}

async function lastConsumableOf(store: FeedStore, signal: AbortSignal): Promise<string | null> {
  const file = await store.readText(SEGMENTS_FILE, {}, signal);
  try {
    return file === undefined || file === 'unchanged' ? null : formatTime(parseSegments(file.text).lastConsumable);
  } catch {
    // It is among what is broken already.
    return null;
  }
}

function sizesOf(view: SegmentView, place: 'read' | 'reading' | 'ahead', cursor: FeedCursor | undefined) {
  let chunks = 0;
  let bytes = 0;
  let unreadBytes = 0;
  for (const [shard, files] of view.shards) {
    chunks += files.length;
    bytes += unreadOf(files, undefined).bytes;
    if (place !== 'read') unreadBytes += unreadOf(files, place === 'reading' ? cursor?.shards[shard] : undefined).bytes;
  }
  const { final, problem } = view;
  return { final: final ?? null, shards: view.shards.size, chunks, bytes, unreadBytes, problem: problem ?? null };
}

/** The manifest's shards, and those that the cursor still has though the manifest does not. */
function shardsOf(view: SegmentView, read: ReadSoFar | undefined): FeedShowOutput['shards'] {
  const names = new Set([...view.shards.keys(), ...Object.keys(read?.cursor?.shards ?? {})]);
  return [...names].map((shard) => {
    const position = read?.cursor?.shards[shard];
    const files = view.shards.get(shard) ?? [];
    const { bytes, later, length } = unreadOf(files, position);
    const moved = read?.standing.shards[shard]?.movedAt;
    return {
      shard,
      chunk: position?.chunk ?? null,
      offset: position?.offset ?? null,
      index: position?.index ?? null,
      movedAt: moved === undefined ? null : formatTime(moved),
      chunkLength: length ?? null,
      unreadBytes: position !== undefined && length === undefined ? null : bytes,
      laterChunks: length === undefined ? 0 : later,
    };
  });
}
