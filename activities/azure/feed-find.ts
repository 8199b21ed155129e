import type { Timestamp } from '../../namespace/entry.ts';
import { SEGMENTS, segmentTime } from '../../schema/feed/segment-path.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { Clock } from '../../schema/ports/clock.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { patience, readSettled } from './settled-json.ts';

/** A record may stand in the segment next to the one of its time: times are off by as much as this. */
export const DRIFT_MS = 15 * 60_000;

/** A feed, and the clock by which its list is waited for while it is rewritten. */
export interface Searched {
  readonly feed: FeedStore;
  readonly clock: Pick<Clock, 'sleep'>;
}

/**
 * The manifest to read from for everything that happened at a time or later: the newest segment that begins 15
 * minutes before it or earlier, else the first.
 *
 * @returns undefined where the feed has no segment.
 */
export async function findSegment(
  searched: Searched,
  time: Timestamp,
  signal: AbortSignal,
): Promise<string | undefined> {
  const from = time - DRIFT_MS;
  // Most times are of this year or the one before; only else is everything listed.
  const year = new Date(from).getUTCFullYear();
  for (const prefix of [`${SEGMENTS}${year}/`, `${SEGMENTS}${year - 1}/`, SEGMENTS]) {
    let found: string | undefined;
    for await (const { path, begin } of consumable(searched, prefix, signal)) {
      if (begin > from) break;
      found = path;
    }
    if (found !== undefined) return found;
  }
  return oldestSegment(searched, signal);
}

/** The first manifest that retention has left. @returns undefined where the feed has no segment. */
export async function oldestSegment(searched: Searched, signal: AbortSignal): Promise<string | undefined> {
  for await (const { path } of consumable(searched, SEGMENTS, signal)) return path;
  return undefined;
}

/** Segments that may be read, in order. */
async function* consumable(
  { feed, clock }: Searched,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly path: string; readonly begin: Timestamp }> {
  const read = () => feed.readText(SEGMENTS_FILE, {}, signal);
  const tries = patience((ms, aborted) => clock.sleep(ms, aborted));
  const file = await readSettled(read, parseSegments, tries, signal);
  if (typeof file !== 'object') return;
  const { lastConsumable } = file.value;
  for await (const { path } of feed.list(prefix, signal)) {
    const begin = segmentTime(path);
    if (begin !== undefined && begin <= lastConsumable) yield { path, begin };
  }
}
