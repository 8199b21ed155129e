import type { Clock } from '../../../../schema/ports/clock.ts';
import type { FaultSwitches } from '../faults.ts';
import type { Journal } from '../journal.ts';
import type { StateFile } from '../state-file.ts';
import type { ShardPlace } from './append-bytes.ts';
import type { FilesOfFeed } from './feed-files.ts';
import { type FeedState, feedStateOf, type OpenSegment, type ShardState, type StoredFeedState } from './feed-state.ts';
import {
  INIT_SEGMENT,
  manifestPath,
  manifestText,
  SEGMENTS_JSON,
  type SegmentBegin,
  type SegmentStatus,
  segmentOf,
  segmentsText,
} from './layout.ts';
import { isRecorded } from './record.ts';
import { type ChunkLimits, ShardChunks } from './shard-chunks.ts';

const ENTRIES_AT_ONCE = 4_096;

export interface FeedWriterParts {
  readonly files: FilesOfFeed;
  readonly journal: Journal;
  readonly state: StateFile<StoredFeedState>;
  readonly faults: FaultSwitches;
  readonly clock: Clock;
  /** Length of a segment; whole minutes. */
  readonly segmentMs: number;
  /** Of each segment that opens from now on. */
  readonly shards: number;
  readonly chunk: ChunkLimits;
}

/**
 * Writes the Change Feed from the journal, in its order; each blob's changes go to the shard of its name.
 *
 * Invariant: each record is in the feed once, which every shard keeps by itself (`ShardChunks`), and a segment opens
 * only when every shard has all of the one before. A torn tail (`tearTail`) is a crash done on purpose: the
 * appends stay unfinished until the next flush.
 */
export class FeedWriter {
  readonly #parts: FeedWriterParts;
  readonly #chunks: ShardChunks;
  #state: FeedState = feedStateOf(undefined);
  #flushing: Promise<void> = Promise.resolve();
  #checked = false;

  constructor(parts: FeedWriterParts) {
    this.#parts = parts;
    this.#chunks = new ShardChunks(parts.files, parts.journal, parts.chunk);
  }

  /** Makes the container and the initial segment, and reads how far the feed had come. */
  async open(): Promise<void> {
    this.#state = feedStateOf(await this.#parts.state.read());
    await this.#createFeed();
  }

  /** Journal entries that are not wholly in the feed; those that have no record count until they are passed. */
  get pending(): number {
    const { next, open } = this.#state;
    const behind = open?.shards.map((shard) => shard.unfinished?.from ?? shard.next) ?? [];
    return this.#parts.journal.length - Math.min(next, ...behind);
  }

  get openSegment(): string | undefined {
    return this.#state.open && new Date(this.#state.open.begin).toISOString();
  }

  /** Writes all that the journal holds, unless the feed is held back. One flush at a time. */
  flush(): Promise<void> {
    const done = this.#flushing.then(() => this.#flush());
    this.#flushing = done.catch(() => undefined);
    return done;
  }

  async #flush(): Promise<void> {
    if (this.#parts.faults.current.feed.hold) return;
    try {
      if (!this.#checked) await this.#comeToTerms();
      this.#checked = true;
      await this.#finish(false);
      await this.#write(false);
      for (let more = true; more; ) {
        more = await this.#take();
        const torn = this.#tearsNow();
        await this.#write(torn);
        if (torn) return;
      }
    } catch (error) {
      this.#checked = false;
      throw error;
    }
  }

  /** Only the last appends of a flush are torn: the bytes before them are whole. */
  #tearsNow(): boolean {
    return this.#parts.faults.current.feed.tearTail && this.#state.next >= this.#parts.journal.length;
  }

  /** Takes the next entries, all of one segment, which is open then. @returns whether there may be more. */
  async #take(): Promise<boolean> {
    const { journal, segmentMs } = this.#parts;
    const { next: from, open } = this.#state;
    const entries = await journal.read(from, ENTRIES_AT_ONCE);
    const first = entries.find(({ entry }) => isRecorded(entry));
    if (first === undefined) {
      if (entries.length > 0) await this.#save({ ...this.#state, next: from + entries.length });
      return entries.length === ENTRIES_AT_ONCE;
    }
    // A clock that stepped back does not open an old segment again.
    const segmentAt = (time: string) => Math.max(segmentOf(Date.parse(time), segmentMs), open?.begin ?? INIT_SEGMENT);
    const segment = segmentAt(first.entry.time);
    if (open?.begin !== segment) await this.#openSegment(segment);
    const end = entries.findIndex(({ entry }) => isRecorded(entry) && segmentAt(entry.time) !== segment);
    await this.#save({ ...this.#state, next: end < 0 ? from + entries.length : from + end });
    return true;
  }

  /** Brings every shard to where the feed is, in steps: one that goes back after a loss has further to go. */
  async #write(torn: boolean): Promise<void> {
    for (;;) {
      const { open, next } = this.#state;
      const behind = Math.min(next, ...(open?.shards.map((shard) => shard.next) ?? []));
      if (open === undefined || behind === next) return;
      const to = Math.min(next, behind + ENTRIES_AT_ONCE);
      await this.#shards((place, shard) => this.#chunks.plan(place, shard, to));
      const tears = torn && to === next;
      await this.#finish(tears);
      if (tears) return;
    }
  }

  async #finish(torn: boolean): Promise<void> {
    if (this.#state.open?.shards.every((shard) => shard.unfinished === undefined) !== false) return;
    await this.#shards((place, shard) => this.#chunks.finish(place, shard, torn));
  }

  /** Does the same to every shard and keeps what became of it; where one fails, the others' progress is kept before it is told. */
  async #shards(step: (place: ShardPlace, shard: ShardState) => Promise<ShardState>): Promise<void> {
    const { open } = this.#state;
    if (open === undefined) return;
    const done = await Promise.allSettled(open.shards.map((shard, at) => step(placeOf(open, at), shard)));
    const shards = open.shards.map((shard, at) => {
      const result = done[at];
      return result?.status === 'fulfilled' ? result.value : shard;
    });
    await this.#save({ ...this.#state, open: { ...open, shards } });
    for (const result of done) if (result.status === 'rejected') throw result.reason;
  }

  async #openSegment(begin: SegmentBegin): Promise<void> {
    const { segmentMs, shards: count, files, clock } = this.#parts;
    const { open, next } = this.#state;
    const places = Array.from({ length: count }, (_, shard) => ({ segment: begin, shard, shards: count }));
    const shards = await Promise.all(places.map((place) => this.#chunks.begin(place, next)));
    const opened = { begin, segmentMs, shards };
    // Azure opens the new segment, then ends the one before, then says so.
    await this.#writeManifest(opened, 'Publishing');
    if (open !== undefined) await this.#writeManifest(open, 'Finalized');
    const final = open?.begin ?? INIT_SEGMENT;
    await files.putText(SEGMENTS_JSON, segmentsText(begin, final, clock.now()));
    await this.#save({ next, open: opened, final });
  }

  async #writeManifest({ begin, segmentMs, shards }: OpenSegment, status: SegmentStatus): Promise<void> {
    const text = manifestText(begin, status, segmentMs, this.#parts.clock.now(), shards.length);
    await this.#parts.files.putText(manifestPath(begin), text);
  }

  async #comeToTerms(): Promise<void> {
    await this.#createFeed();
    const { open: before } = this.#state;
    if (before === undefined) return;
    await this.#shards((place, shard) => this.#chunks.comeToTerms(place, shard));
    const { open, final } = this.#state;
    if (open === undefined || open.shards.every((shard, at) => shard === before.shards[at])) return;
    // Azurite may have lost what names the segment as well.
    await this.#writeManifest(open, 'Publishing');
    await this.#parts.files.putText(SEGMENTS_JSON, segmentsText(open.begin, final, this.#parts.clock.now()));
  }

  async #createFeed(): Promise<void> {
    await this.#parts.files.createContainer();
    const { clock, segmentMs, files } = this.#parts;
    await files.putText(manifestPath(INIT_SEGMENT), manifestText(INIT_SEGMENT, 'Finalized', segmentMs, clock.now()));
  }

  async #save(state: FeedState): Promise<void> {
    await this.#parts.state.write(state);
    this.#state = state;
  }
}

function placeOf({ begin, shards }: OpenSegment, shard: number): ShardPlace {
  return { segment: begin, shard, shards: shards.length };
}
