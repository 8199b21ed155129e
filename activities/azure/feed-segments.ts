import type { Timestamp } from '../../namespace/entry.ts';
import { FeedGapError, FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import { SEGMENTS, segmentTime, segmentYear } from '../../schema/feed/segment-path.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { type Patience, readSettled } from './settled-json.ts';

/** Manifests kept at a time: a month and a half of hourly ones. The rest are listed when these are read. */
const WINDOW = 1_000;

export interface SegmentWindow {
  /** Manifest paths in order, none after `lastConsumable`, but for the one that is read already. */
  readonly segments: readonly string[];
  /** There are more than the window holds. */
  readonly more: boolean;
  readonly lastConsumable: Timestamp | undefined;
  /** Changes whenever a segment opens. */
  readonly etag: string;
}

/** How often what may have changed without a sign is listed again. */
export interface ListingPace {
  readonly relistMs: number;
  now(): Timestamp;
}

/**
 * Finds the segments to read. The service's own listing of manifests is what counts, bounded by `lastConsumable`,
 * which names the newest segment that was opened and is itself to be read. A poll costs one conditional read: the
 * manifests are listed again only when a segment has opened, and while the one that is named has no manifest yet, which
 * recorded feeds have, every few seconds.
 */
export class SegmentFinder {
  readonly #store: FeedStore;
  readonly #patience: Patience;
  readonly #listing: ListingPace;
  #known: SegmentWindow | undefined;
  #from = '';
  #listedAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(store: FeedStore, patience: Patience, listing: ListingPace) {
    this.#store = store;
    this.#patience = patience;
    this.#listing = listing;
  }

  /** The segments from this manifest on, it among them; from the feed's beginning without one. */
  async find(from: string | undefined, signal: AbortSignal): Promise<SegmentWindow> {
    const known = this.#known;
    const usable = known !== undefined && this.#covers(known, from) ? known : undefined;
    const read = () => this.#store.readText(SEGMENTS_FILE, { ifNoneMatch: usable?.etag }, signal);
    const file = await readSettled(read, parseSegments, this.#patience, signal);
    if (file === undefined) {
      // The container is there, and nothing has been written yet.
      if (from === undefined) return { segments: [], more: false, lastConsumable: undefined, etag: '' };
      throw new FeedUnavailableError('missing', `${SEGMENTS_FILE} is gone, and with it the feed that was read`);
    }
    if (usable !== undefined && (file === 'unchanged' || file.etag === usable.etag)) {
      return { ...usable, segments: usable.segments.filter((path) => path >= (from ?? '')) };
    }
    if (file === 'unchanged') throw new TypeError(`${SEGMENTS_FILE} is unchanged, though nothing was known of it`);
    const { lastConsumable } = file.value;
    const now = this.#listing.now();
    // An older one may be named for a while, by a store that lags: what was read once is no gap for that.
    const last = Math.max(lastConsumable, segmentTime(from ?? '') ?? lastConsumable);
    const found = await listSegments(this.#store, from, last, signal);
    if (from !== undefined && found.segments[0] !== from) {
      throw new FeedGapError(from, 'is gone, as the feed was kept for less time than it was not read');
    }
    this.#known = { ...found, lastConsumable, etag: file.etag };
    this.#from = from ?? '';
    this.#listedAt = now;
    return this.#known;
  }

  /** Whether what is known can stand for a new listing. */
  #covers(known: SegmentWindow, from: string | undefined): boolean {
    if (known.more || (from ?? '') < this.#from || (from !== undefined && !known.segments.includes(from))) return false;
    const newest = segmentTime(known.segments.at(-1) ?? '') ?? Number.NEGATIVE_INFINITY;
    // The manifest of `lastConsumable` may appear after it is named.
    return newest >= (known.lastConsumable ?? Number.POSITIVE_INFINITY) || this.#isFresh();
  }

  /** A clock that has jumped back makes no listing fresh. */
  #isFresh(): boolean {
    const age = this.#listing.now() - this.#listedAt;
    return age >= 0 && age < this.#listing.relistMs;
  }
}

async function listSegments(
  store: FeedStore,
  from: string | undefined,
  last: Timestamp,
  signal: AbortSignal,
): Promise<{ readonly segments: readonly string[]; readonly more: boolean }> {
  const segments: string[] = [];
  for (const prefix of yearPrefixes(from, last)) {
    for await (const { path } of store.list(prefix, signal)) {
      const time = segmentTime(path);
      if (time === undefined || path < (from ?? '') || time > last) continue;
      if (segments.length === WINDOW) return { segments, more: true };
      segments.push(path);
    }
  }
  return { segments, more: false };
}

/** Without a cursor the first year is not known, so everything is listed. */
function yearPrefixes(from: string | undefined, lastConsumable: Timestamp): readonly string[] {
  if (from === undefined) return [SEGMENTS];
  const first = segmentYear(from);
  const last = Math.max(first, new Date(lastConsumable).getUTCFullYear());
  return Array.from({ length: last - first + 1 }, (_, year) => `${SEGMENTS}${first + year}/`);
}
