import type { Timestamp } from '../../namespace/entry.ts';
import { latest } from '../../namespace/latest.ts';
import { assert } from '../../schema/errors.ts';
import { FeedCorruptError, FeedGapError, FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import { type Manifest, parseManifest } from '../../schema/feed/manifest.ts';
import { segmentTime } from '../../schema/feed/segment-path.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { BegunShards } from './begun-shards.ts';
import { ByteBudget } from './byte-budget.ts';
import type { FeedEnd, FeedPage, FeedStart, SegmentReading, ShardReading } from './feed-page.ts';
import { SegmentFinder, type SegmentWindow } from './feed-segments.ts';
import { FeedShard, type LeftOut, type ShardOptions } from './feed-shard.ts';
import { readAhead } from './read-ahead.ts';
import { SegmentAhead } from './segment-ahead.ts';
import { type Patience, patience, readSettled } from './settled-json.ts';

export interface FeedReaderOptions {
  readonly source: 'feed' | 'replay';
  /** A page ends at the end of the block that reaches this. @default 5_000 */
  readonly pageRecords?: number | undefined;
  /** Shards that are read at a time. @default 4 */
  readonly lanes?: number | undefined;
  /** Bytes asked for at a time, of each shard. @default 4 MiB */
  readonly sliceBytes?: number | undefined;
  /**
   * Of all downloads that are under way or wait for their decoder. A shard that has none may still ask for 256 KiB, so
   * that none waits for another's consumer. @default 32 MiB
   */
  readonly budgetBytes?: number | undefined;
  /**
   * How long a segment is still read after a later one has opened, where its manifest does not say that it is final,
   * and how long a file that ought to be whole may be seen unfinished, in milliseconds. In every recording a manifest
   * says so within 2 s. 0 for a copy, which does not grow. @default 30_000
   */
  readonly graceMs?: number | undefined;
  /** Damage that somebody has left out is passed over, a manifest with its segment. @default none was left out */
  readonly leftOut?: LeftOut | undefined;
  readonly now?: (() => Timestamp) | undefined;
  /** Rejects where the signal is aborted first. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

const PAGE_RECORDS = 5_000;
const SLICE_BYTES = 4 * 1024 * 1024;
const BUDGET_BYTES = 32 * 1024 * 1024;
/** Each holds a connection while its consumer commits. */
export const LANES = 4;
const GRACE_MS = 30_000;
/** Nor does it pass in fewer looks, as a clock that jumps makes any time pass. */
const GRACE_LOOKS = 3;
const RELIST_MS = 2_000;

/** What is known of the segment that was read last, which the next poll begins with. */
interface KnownSegment {
  readonly path: string;
  readonly etag: string;
  readonly manifest: Manifest;
  readonly shards: ReadonlyMap<string, FeedShard>;
  /** What of it is read before anybody asks. */
  readonly begun: BegunShards;
  /** When its manifest was asked for last, and for which segments.json. */
  readonly at: Timestamp;
  readonly window: string;
}

/**
 * Reads a change feed as a log that grows: from a cursor to the end of the newest open segment, segment by segment,
 * and the shards of each side by side.
 *
 * A segment is left for the next one only when a later one has opened before its last read to the end, so that no
 * record that was written late is passed over. Kept between polls are the headers and unfinished blocks of the
 * chunks that are still read; a new reader starts from any cursor without them. One pass at a time.
 */
export class FeedReader {
  readonly #store: FeedStore;
  readonly #finder: SegmentFinder;
  readonly #patience: Patience;
  readonly #options: ShardOptions;
  /** Shards that whoever drains it reads at a time. */
  readonly lanes: number;
  #known: KnownSegment | undefined;
  /** Since when the segment at hand has had a successor without being final. */
  #lingering: { readonly path: string; readonly since: Timestamp; readonly looks: number } | undefined;
  /** The newest event's time among those that were read. */
  #newest: Timestamp | undefined;

  constructor(store: FeedStore, options: FeedReaderOptions) {
    this.#store = store;
    const graceMs = options.graceMs ?? GRACE_MS;
    this.#patience = { ...patience(options.sleep), ...(graceMs === 0 ? { tries: 1 } : {}) };
    this.#options = {
      source: options.source,
      pageRecords: options.pageRecords ?? PAGE_RECORDS,
      sliceBytes: options.sliceBytes ?? SLICE_BYTES,
      budget: new ByteBudget(options.budgetBytes ?? BUDGET_BYTES),
      graceMs,
      relistMs: RELIST_MS,
      leftOut: options.leftOut ?? (async () => undefined),
      now: options.now ?? Date.now,
    };
    this.lanes = options.lanes ?? LANES;
    this.#finder = new SegmentFinder(store, this.#patience, this.#options);
  }

  /**
   * The segments from the cursor's on, the open one last. Every shard of a segment is drained, in any order and
   * several at once, before the next is asked for. What was not committed is read again by a new call with the cursor
   * that was.
   *
   * @throws `FeedUnavailableError`, `FeedCorruptError` (of a manifest), `FeedGapError`
   */
  async *segments(from: FeedStart | undefined, signal: AbortSignal): AsyncGenerator<SegmentReading, FeedEnd> {
    let start = from;
    await using ahead = new SegmentAhead<KnownSegment>(
      (path, within) => this.#openFinished(path, within),
      ({ begun }) => begun.close(),
      signal,
    );
    const beginNext = () => ahead.whenOpen(({ begun, shards }) => begun.beginOne(this.#firstOf(shards)));
    for (;;) {
      const window = await this.#find(start, signal);
      for (const [at, path] of window.segments.entries()) {
        // The last of a window that does not hold everything is the first of the next.
        if (window.more && at === window.segments.length - 1) break;
        const hasNext = at < window.segments.length - 1;
        const known = (await ahead.take(path)) ?? (await this.#openUnlessLeftOut(path, window.etag, hasNext, signal));
        if (known === undefined) continue;
        this.#known = known;
        // Not the open one, which is read last and as it is then.
        if (at + 2 < window.segments.length) ahead.fetch(window.segments[at + 1]);
        const final = hasNext && this.#isFinal(path, known.manifest);
        const drained = new Map<string, 'whole' | 'torn'>();
        const isDrained = (shard: string, end: 'whole' | 'torn') => {
          drained.set(shard, end);
          // Whoever has drained it finds no other here to begin with.
          if (final && known.shards.size - drained.size < this.lanes) beginNext();
        };
        try {
          yield this.#reading(known, final, start?.segment === path ? start.shards : {}, isDrained);
        } finally {
          await known.begun.close();
        }
        assert(drained.size === known.shards.size, `${path} was left before its shards were drained`);
        const whole = [...drained.values()].every((end) => end === 'whole');
        if (!final || !whole) return this.#end(window, !hasNext && whole);
      }
      if (!window.more) return this.#end(window, true);
      start = { segment: window.segments.at(-1) ?? '', shards: {} };
    }
  }

  async #find(start: FeedStart | undefined, signal: AbortSignal): Promise<SegmentWindow> {
    try {
      return await this.#finder.find(start?.segment, signal);
    } catch (error) {
      if (start !== undefined && error instanceof FeedUnavailableError && error.why === 'not-enabled') {
        throw new FeedUnavailableError('missing', 'the feed that was read is gone with its container', error);
      }
      throw error;
    }
  }

  #end({ lastConsumable }: SegmentWindow, caughtUp: boolean): FeedEnd {
    return { head: latest(lastConsumable, this.#newest), caughtUp, lastConsumable };
  }

  #reading(
    { path, shards, begun }: KnownSegment,
    final: boolean,
    positions: FeedStart['shards'],
    isDrained: (shard: string, end: 'whole' | 'torn') => void,
  ): SegmentReading {
    const readings = [...shards.values()].map((shard): ShardReading => {
      const { prefix } = shard;
      // Taken only where it is asked for, so that what is not is ended with its segment.
      async function* pages(signal: AbortSignal): AsyncGenerator<FeedPage, 'whole' | 'torn'> {
        return yield* begun.take(prefix)?.items(signal) ?? shard.pages(positions[prefix], final, signal);
      }
      return { prefix, pages: (signal) => this.#pages(readAhead(pages(signal)), prefix, isDrained) };
    });
    return { path, begin: segmentTime(path) ?? 0, final, shards: readings };
  }

  async *#pages(
    pages: AsyncGenerator<FeedPage, 'whole' | 'torn'>,
    shard: string,
    isDrained: (shard: string, end: 'whole' | 'torn') => void,
  ): AsyncGenerator<FeedPage, 'whole' | 'torn'> {
    try {
      for (;;) {
        const step = await pages.next();
        if (step.done === true) {
          isDrained(shard, step.value);
          return step.value;
        }
        this.#newest = latest(this.#newest, step.value.newest);
        yield step.value;
      }
    } finally {
      await pages.return('torn');
    }
  }

  /** @returns undefined where its manifest cannot be read, and was left out with its segment. */
  async #openUnlessLeftOut(
    path: string,
    window: string,
    hasNext: boolean,
    signal: AbortSignal,
  ): Promise<KnownSegment | undefined> {
    try {
      return await this.#open(path, window, hasNext, signal);
    } catch (error) {
      if (hasNext && error instanceof FeedCorruptError && (await this.#options.leftOut(path, 0)) !== undefined) {
        return undefined;
      }
      throw error;
    }
  }

  /** Reads the segment's manifest where it may have changed, and keeps what was read of its shards. */
  async #open(path: string, window: string, hasNext: boolean, signal: AbortSignal): Promise<KnownSegment> {
    const now = this.#options.now();
    const known = this.#known?.path === path ? this.#known : undefined;
    const age = now - (known?.at ?? 0);
    if (known !== undefined && !hasNext && known.window === window && age >= 0 && age < RELIST_MS) return known;
    const read = () => this.#store.readText(path, { ifNoneMatch: known?.etag }, signal);
    const file = await readSettled(read, (text) => parseManifest(path, text), this.#patience, signal);
    if (file === undefined) throw new FeedGapError(path, 'is gone');
    if (file === 'unchanged') {
      assert(known, `${path} is unchanged, though nothing was known of it`);
      return { ...known, at: now, window };
    }
    const shards = this.#shardsOf(path, file.value, known?.shards);
    for (const shard of shards.values()) shard.forgetListing();
    return { path, etag: file.etag, manifest: file.value, shards, begun: new BegunShards(), at: now, window };
  }

  /** A segment that has a successor, where its manifest says that it is final, with its first shards listed. */
  async #openFinished(path: string, signal: AbortSignal): Promise<KnownSegment | undefined> {
    const file = await this.#store.readText(path, {}, signal);
    if (typeof file !== 'object') return undefined;
    const manifest = parseManifest(path, file.text);
    if (!manifest.finalised) return undefined;
    const shards = this.#shardsOf(path, manifest, undefined);
    await Promise.all(this.#firstOf(shards).map((shard) => shard.listAhead(signal)));
    return { path, etag: file.etag, manifest, shards, begun: new BegunShards(), at: this.#options.now(), window: '' };
  }

  /** Those that a consumer begins with. */
  #firstOf(shards: KnownSegment['shards']): readonly FeedShard[] {
    return [...shards.values()].slice(0, this.lanes);
  }

  #shardsOf(path: string, { shards }: Manifest, known: KnownSegment['shards'] | undefined): KnownSegment['shards'] {
    const shard = (prefix: string) => known?.get(prefix) ?? new FeedShard(this.#store, path, prefix, this.#options);
    return new Map(shards.map((prefix) => [prefix, shard(prefix)]));
  }

  #isFinal(path: string, manifest: Manifest): boolean {
    const { graceMs } = this.#options;
    if (manifest.finalised || graceMs === 0) return true;
    const now = this.#options.now();
    const known = this.#lingering?.path === path && this.#lingering.since <= now ? this.#lingering : undefined;
    this.#lingering = { path, since: known?.since ?? now, looks: (known?.looks ?? 0) + 1 };
    return now - this.#lingering.since >= graceMs && this.#lingering.looks >= GRACE_LOOKS;
  }
}
