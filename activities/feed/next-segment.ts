import { SEGMENTS, segmentTime } from '../../schema/feed/segment-path.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';

/**
 * The first segment from a path on that is not this one, which a listing may still show though it is gone; else, as
 * `oldest`, the oldest there is.
 */
export async function nextSegment(
  store: FeedStore,
  from: string | undefined,
  except: string,
  signal: AbortSignal,
): Promise<{ readonly next: string | undefined; readonly oldest: string | undefined }> {
  let oldest: string | undefined;
  for await (const { path } of store.list(SEGMENTS, signal)) {
    if (segmentTime(path) === undefined || path === except) continue;
    oldest ??= path;
    if (path >= (from ?? '')) return { next: path, oldest };
  }
  return { next: undefined, oldest };
}
