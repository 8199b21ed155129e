import type { Clock } from '../../../../schema/ports/clock.ts';
import type { BlobChange } from '../change.ts';
import type { FaultSwitches } from '../faults.ts';
import type { Journal } from '../journal.ts';
import type { StateFile } from '../state-file.ts';
import { blocksOf, headerOf, syncMarkerOf } from './encode.ts';
import type { FeedFiles } from './feed-files.ts';
import {
  chunkPath,
  INIT_SEGMENT,
  manifestPath,
  manifestText,
  SEGMENTS_JSON,
  type SegmentBegin,
  type SegmentStatus,
  segmentOf,
  segmentsText,
} from './layout.ts';
import { isRecorded, recordOf } from './record.ts';

/** An append, from before it is tried until all its bytes are in the chunk. */
interface Append {
  readonly segment: SegmentBegin;
  readonly chunk: number;
  readonly offset: number;
  /** Journal entries `[from, to)`; encoding them again gives the same bytes. */
  readonly from: number;
  readonly to: number;
}

interface OpenSegment {
  readonly segment: SegmentBegin;
  /** The length that its manifest tells: a later start may use another. */
  readonly segmentMs: number;
  readonly chunk: number;
  readonly appends: number;
  readonly length: number;
}

export interface FeedState {
  /** Journal entries below this are in the feed. */
  readonly next: number;
  readonly open: OpenSegment | undefined;
  /** The segment before the open one. */
  readonly final: SegmentBegin;
  readonly unfinished: Append | undefined;
  /** The newest appends, to find the way back where Azurite lost its last seconds. */
  readonly recent: readonly Append[];
}

const EMPTY: FeedState = { next: 0, open: undefined, final: INIT_SEGMENT, unfinished: undefined, recent: [] };

const ENTRIES_AT_ONCE = 4_096;
const RECENT_APPENDS = 64;
/** An append blob takes 50,000 appends. */
const APPENDS_PER_CHUNK = 49_000;

export interface FeedWriterParts {
  readonly files: FeedFiles;
  readonly journal: Journal;
  readonly state: StateFile<FeedState>;
  readonly faults: FaultSwitches;
  readonly clock: Clock;
  /** Length of a segment; whole minutes. */
  readonly segmentMs: number;
}

/**
 * Writes the Change Feed from the journal, in its order.
 *
 * Invariant: each record is in the feed once. An append is written down before it is tried; after a crash its
 * bytes are made again from the journal and only those that are missing are appended, at their offset. A torn
 * tail (`tearTail`) is the same thing done on purpose: the append stays unfinished until the next flush.
 */
export class FeedWriter {
  readonly #parts: FeedWriterParts;
  #state: FeedState = EMPTY;
  #flushing: Promise<void> = Promise.resolve();
  #checked = false;

  constructor(parts: FeedWriterParts) {
    this.#parts = parts;
  }

  /** Makes the container and the initial segment, and reads how far the feed had come. */
  async open(): Promise<void> {
    this.#state = (await this.#parts.state.read()) ?? EMPTY;
    await this.#createFeed();
  }

  /** Journal entries that are not wholly in the feed; those that have no record count until they are passed. */
  get pending(): number {
    const { unfinished, next } = this.#state;
    return this.#parts.journal.length - (unfinished?.from ?? next);
  }

  get openSegment(): string | undefined {
    return this.#state.open && new Date(this.#state.open.segment).toISOString();
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
      while (this.#state.unfinished === undefined && (await this.#writeSome())) await this.#finish(this.#tearsNow());
    } catch (error) {
      this.#checked = false;
      throw error;
    }
  }

  /** Only the last append of a flush is torn: the bytes before it are whole. */
  #tearsNow(): boolean {
    return this.#parts.faults.current.feed.tearTail && (this.#state.unfinished?.to ?? 0) >= this.#parts.journal.length;
  }

  /** Plans the next append; its entries are of one segment. @returns false where nothing is left. */
  async #writeSome(): Promise<boolean> {
    const { journal, segmentMs } = this.#parts;
    const from = this.#state.next;
    const entries = await journal.read(from, ENTRIES_AT_ONCE);
    const first = entries.find(({ entry }) => isRecorded(entry));
    if (first === undefined) {
      if (entries.length > 0) await this.#save({ ...this.#state, next: from + entries.length });
      return entries.length === ENTRIES_AT_ONCE;
    }
    // A clock that stepped back does not open an old segment again.
    const segmentAt = (time: string) =>
      Math.max(segmentOf(Date.parse(time), segmentMs), this.#state.open?.segment ?? INIT_SEGMENT);
    const segment = segmentAt(first.entry.time);
    const open = await this.#ensureSegment(segment);
    const end = entries.findIndex(({ entry }) => isRecorded(entry) && segmentAt(entry.time) !== segment);
    const to = end < 0 ? from + entries.length : from + end;
    await this.#save({
      ...this.#state,
      unfinished: { segment, chunk: open.chunk, offset: open.length, from, to },
    });
    return true;
  }

  /** Brings what is missing of the append that was planned; `torn` leaves it unfinished after half of its last block. */
  async #finish(torn: boolean): Promise<void> {
    const { unfinished: append, open } = this.#state;
    if (append === undefined || open === undefined) return;
    const path = chunkPath(append.segment, append.chunk);
    const sync = syncMarkerOf(path);
    const blocks = blocksOf((await this.#changesOf(append)).map(recordOf), sync);
    const bytes = Buffer.concat(blocks.map((block) => block.bytes));
    const there = open.length - append.offset;
    const last = blocks.at(-1)?.bytes.length ?? 0;
    const until = torn ? bytes.length - Math.ceil(last / 2) : bytes.length;
    if (until > there) await this.#parts.files.append(path, open.length, bytes.subarray(there, until));
    const length = append.offset + Math.max(until, there);
    const moved = { ...open, length, appends: open.appends + 1 };
    if (torn) await this.#save({ ...this.#state, open: moved });
    else {
      const recent = [...this.#state.recent, append].slice(-RECENT_APPENDS);
      await this.#save({ ...this.#state, open: moved, next: append.to, unfinished: undefined, recent });
    }
  }

  async #changesOf({ from, to }: Append): Promise<readonly BlobChange[]> {
    const entries = await this.#parts.journal.read(from, to - from);
    return entries.map(({ entry }) => entry).filter(isRecorded);
  }

  async #ensureSegment(segment: SegmentBegin): Promise<OpenSegment> {
    const { open } = this.#state;
    if (open?.segment === segment && open.appends < APPENDS_PER_CHUNK) return open;
    const rolls = open?.segment === segment;
    const opened = await this.#makeChunk(segment, rolls ? open.chunk + 1 : 0);
    const final = rolls ? this.#state.final : (open?.segment ?? INIT_SEGMENT);
    // Azure opens the new segment, then ends the one before, then says so.
    await this.#writeManifest(segment, 'Publishing', opened.segmentMs);
    if (final !== INIT_SEGMENT) await this.#writeManifest(final, 'Finalized', open?.segmentMs ?? opened.segmentMs);
    await this.#parts.files.putText(SEGMENTS_JSON, segmentsText(segment, final, this.#parts.clock.now()));
    await this.#save({ ...this.#state, open: opened, final });
    return opened;
  }

  async #writeManifest(segment: SegmentBegin, status: SegmentStatus, segmentMs: number): Promise<void> {
    const { files, clock } = this.#parts;
    await files.putText(manifestPath(segment), manifestText(segment, status, segmentMs, clock.now()));
  }

  async #makeChunk(segment: SegmentBegin, chunk: number): Promise<OpenSegment> {
    const { files } = this.#parts;
    const path = chunkPath(segment, chunk);
    const header = headerOf(syncMarkerOf(path));
    await files.createChunk(path);
    const length = (await files.chunkLength(path)) ?? 0;
    // One that a crash left behind holds its header or part of it; one that holds more is not ours to go on with.
    if (length > header.length) return this.#makeChunk(segment, chunk + 1);
    if (length < header.length) await files.append(path, length, header.subarray(length));
    return { segment, segmentMs: this.#parts.segmentMs, chunk, appends: 1, length: header.length };
  }

  /** Compares what is written down with what the chunk holds, after a start or a failure. */
  async #comeToTerms(): Promise<void> {
    await this.#createFeed();
    const { open, unfinished, recent, next } = this.#state;
    if (open === undefined) return;
    const length = await this.#parts.files.chunkLength(chunkPath(open.segment, open.chunk));
    if (length === open.length) return;
    const end = unfinished === undefined ? undefined : await this.#endOf(unfinished);
    if (length !== undefined && unfinished !== undefined && length >= unfinished.offset && length <= (end ?? 0)) {
      await this.#save({ ...this.#state, open: { ...open, length } });
      return;
    }
    // Azurite lost its last seconds: those appends are made again, in a chunk of their own where the old one is gone or cut elsewhere.
    const here = recent.filter((append) => append.segment === open.segment && append.chunk === open.chunk);
    const back = here.find((append) => append.offset === length) ?? (length === undefined ? here[0] : undefined);
    const from = back?.from ?? unfinished?.from ?? next;
    const kept = recent.filter((append) => append.to <= from);
    const again = back === undefined || length === undefined;
    const opened = again ? await this.#makeChunk(open.segment, open.chunk + 1) : { ...open, length };
    if (again) {
      await this.#writeManifest(open.segment, 'Publishing', open.segmentMs);
      const segments = segmentsText(open.segment, this.#state.final, this.#parts.clock.now());
      await this.#parts.files.putText(SEGMENTS_JSON, segments);
    }
    await this.#save({ ...this.#state, next: from, unfinished: undefined, recent: kept, open: opened });
  }

  async #endOf(append: Append): Promise<number> {
    const sync = syncMarkerOf(chunkPath(append.segment, append.chunk));
    const blocks = blocksOf((await this.#changesOf(append)).map(recordOf), sync);
    return append.offset + blocks.reduce((sum, block) => sum + block.bytes.length, 0);
  }

  async #createFeed(): Promise<void> {
    await this.#parts.files.createContainer();
    await this.#writeManifest(INIT_SEGMENT, 'Finalized', this.#parts.segmentMs);
  }

  async #save(state: FeedState): Promise<void> {
    await this.#parts.state.write(state);
    this.#state = state;
  }
}
