import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { type Manifest, parseManifest } from '../../schema/feed/manifest.ts';
import { type RecordPosition, readRecord } from '../../schema/feed/record.ts';
import type { FeedCursor, ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import type { ChunkReader } from './feed-chunk.ts';
import type { FeedPage, RefusedRecord } from './feed-page.ts';
import { SegmentFinder } from './feed-segments.ts';
import { ShardReader } from './feed-shard.ts';

export interface FeedReaderOptions {
  readonly source: 'feed' | 'replay';
  /** A page ends at the end of the block that reaches this. @default 5_000 */
  readonly pageRecords?: number | undefined;
  /** Bytes asked for at a time, of each shard. @default 4 MiB */
  readonly sliceBytes?: number | undefined;
  /**
   * How long a segment is still read after a later one has opened, where its manifest does not say that it is final,
   * in milliseconds. In every recording it says so within 2 s. @default 30_000
   */
  readonly graceMs?: number | undefined;
  readonly now?: (() => Timestamp) | undefined;
}

const PAGE_RECORDS = 5_000;
const SLICE_BYTES = 4 * 1024 * 1024;
const GRACE_MS = 30_000;

/**
 * Reads a change feed as a log that grows: from a cursor to the end of the newest open segment, a page at a time.
 *
 * A segment is left for the next one only when a later one has opened before its last read to the end, so that no
 * record that was written late is passed over. Kept between polls are the headers and unfinished blocks of the
 * chunks that are still read; a new reader starts from any cursor without them.
 */
export class FeedReader {
  readonly #store: FeedStore;
  readonly #options: FeedReaderOptions;
  readonly #finder: SegmentFinder;
  readonly #chunks = new Map<string, ChunkReader>();
  #manifest: { readonly path: string; readonly etag: string; readonly manifest: Manifest } | undefined;
  /** Since when the segment at hand has had a successor without being final. */
  #lingering: { readonly path: string; readonly since: Timestamp } | undefined;
  #readTo: Timestamp | undefined;

  constructor(store: FeedStore, options: FeedReaderOptions) {
    this.#store = store;
    this.#options = options;
    this.#finder = new SegmentFinder(store);
  }

  /**
   * Pages from the cursor to the end that the feed has now, and one last page without records. Every page's cursor
   * follows the one before it by one version. A page that was not committed is read again by a new call with the
   * cursor that was.
   *
   * @throws `ISTHMUS_FEED_UNAVAILABLE`, `ISTHMUS_FEED_CORRUPT`, `ISTHMUS_FEED_GAP`; the pages before it are good.
   */
  async *read(from: FeedCursor | undefined, signal: AbortSignal): AsyncGenerator<FeedPage> {
    let cursor = from;
    let head: Timestamp | undefined;
    let caughtUp = true;
    for (;;) {
      const window = await this.#finder.find(cursor?.segment, signal);
      head = latest(window.lastConsumable, this.#readTo);
      let stopped = false;
      for (const [at, segment] of window.segments.entries()) {
        if (window.more && at === window.segments.length - 1) break;
        const hasNext = at < window.segments.length - 1;
        const manifest = await this.#readManifest(segment, window.etag, hasNext, signal);
        const final = hasNext && this.#isFinal(segment, manifest);
        const reading = this.#readSegment(segment, manifest, final, cursor, window.lastConsumable, signal);
        let step = await reading.next();
        for (; step.done !== true; step = await reading.next()) {
          cursor = step.value.cursor;
          yield step.value;
        }
        if (!final) {
          stopped = true;
          caughtUp = !hasNext && step.value === 'whole';
          break;
        }
        // Not stored with a page of its own: the next page carries it, and until then this segment is merely looked at again.
        cursor = { segment: window.segments[at + 1] ?? segment, shards: {}, version: cursor?.version ?? 0 };
        this.#chunks.clear();
      }
      if (stopped || !window.more) break;
    }
    head = latest(head, this.#readTo);
    if (caughtUp) this.#readTo = head;
    yield {
      events: [],
      ignored: {},
      refused: [],
      records: 0,
      byType: {},
      cursor,
      head,
      readTo: this.#readTo,
      caughtUp,
    };
  }

  async *#readSegment(
    segment: string,
    manifest: Manifest,
    final: boolean,
    from: FeedCursor | undefined,
    lastConsumable: Timestamp | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FeedPage, 'whole' | 'torn'> {
    const positions = from?.segment === segment ? from.shards : {};
    const options = { final, readers: this.#chunks };
    const shards = await Promise.all(
      manifest.shards.map((prefix) => ShardReader.open(this.#store, prefix, positions[prefix], options, signal)),
    );
    let version = from?.version ?? 0;
    for (let open = shards; open.length > 0; open = open.filter((shard) => !shard.done)) {
      signal.throwIfAborted();
      const page = new PageBuilder(this.#options.source);
      const records = Math.ceil((this.#options.pageRecords ?? PAGE_RECORDS) / open.length);
      const limits = { records, slice: this.#options.sliceBytes ?? SLICE_BYTES };
      // All of them end before any fails, so that no read is under way when the next one begins.
      const reads = await Promise.allSettled(open.map((shard) => shard.read(limits, page.take, signal)));
      for (const read of reads) if (read.status === 'rejected') throw read.reason;
      if (page.records === 0) continue;
      version++;
      this.#readTo = latest(this.#readTo, page.newest);
      const cursor = { segment, shards: positionsOf(shards), version };
      yield page.build(cursor, latest(lastConsumable, this.#readTo), this.#readTo);
    }
    return shards.some((shard) => shard.torn) ? 'torn' : 'whole';
  }

  /** An open segment's manifest is read again only when segments.json has changed; a finished one's for its last word. */
  async #readManifest(path: string, etag: string, hasNext: boolean, signal: AbortSignal): Promise<Manifest> {
    if (!hasNext && this.#manifest?.path === path && this.#manifest.etag === etag) return this.#manifest.manifest;
    const file = await this.#store.readText(path, signal);
    if (file === undefined) {
      throw new IsthmusError('ISTHMUS_FEED_GAP', `${path} is gone: a reconcile must heal what its segment said`);
    }
    const manifest = parseManifest(path, file.text);
    this.#manifest = { path, etag, manifest };
    return manifest;
  }

  #isFinal(path: string, manifest: Manifest): boolean {
    if (manifest.finalised) return true;
    const now = (this.#options.now ?? Date.now)();
    if (this.#lingering?.path !== path) this.#lingering = { path, since: now };
    return now - this.#lingering.since >= (this.#options.graceMs ?? GRACE_MS);
  }
}

/** Gathers the records of one page from all shards. */
class PageBuilder {
  readonly #source: 'feed' | 'replay';
  readonly #events: BlobEvent[] = [];
  readonly #refused: RefusedRecord[] = [];
  readonly #ignored: Record<string, number> = {};
  readonly #byType: Record<string, number> = {};
  records = 0;
  newest: Timestamp | undefined;

  constructor(source: 'feed' | 'replay') {
    this.#source = source;
  }

  readonly take = (value: unknown, position: RecordPosition): void => {
    const { type, change } = readRecord(value, position, this.#source);
    this.records++;
    this.#byType[type] = (this.#byType[type] ?? 0) + 1;
    if ('ignored' in change) {
      const { ignored, subject, eventId } = change;
      this.#ignored[ignored] = (this.#ignored[ignored] ?? 0) + 1;
      if (ignored === 'unstorable-name') this.#refused.push({ reason: ignored, subject, eventId });
      return;
    }
    this.#events.push(change);
    this.newest = latest(this.newest, change.time);
  };

  build(cursor: FeedCursor, head: Timestamp | undefined, readTo: Timestamp | undefined): FeedPage {
    return {
      events: this.#events,
      ignored: this.#ignored,
      refused: this.#refused,
      records: this.records,
      byType: this.#byType,
      cursor,
      head,
      readTo,
      caughtUp: false,
    };
  }
}

function positionsOf(shards: readonly ShardReader[]): Readonly<Record<string, ShardPosition>> {
  const entries = shards.flatMap(({ prefix, position }) =>
    position === undefined ? [] : [[prefix, position] as const],
  );
  return Object.fromEntries(entries);
}

function latest(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
