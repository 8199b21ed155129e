import type { Journal } from '../journal.ts';
import { appendBytes, changesOf, type ShardPlace } from './append-bytes.ts';
import { headerOf, syncMarkerOf } from './encode.ts';
import type { FilesOfFeed } from './feed-files.ts';
import type { ShardState } from './feed-state.ts';
import { chunkPath } from './layout.ts';

const RECENT_APPENDS = 64;

export interface ChunkLimits {
  /** Appends of a chunk before the next one begins: an append blob takes 50,000. */
  readonly appends: number;
  readonly bytes: number;
}

/**
 * Writes the chunks of a shard. Each step takes the shard's state and returns the next one, which the caller keeps.
 *
 * Invariant: each record is in the shard once. What is appended next is planned and kept before it is tried; after
 * a crash its bytes are made again from the journal and only those that are missing are appended, at their offset.
 */
export class ShardChunks {
  readonly #files: FilesOfFeed;
  readonly #journal: Journal;
  readonly #limits: ChunkLimits;

  constructor(files: FilesOfFeed, journal: Journal, limits: ChunkLimits) {
    this.#files = files;
    this.#journal = journal;
    this.#limits = limits;
  }

  /** The state of a shard whose segment opens, its first chunk with a header alone. */
  begin(place: ShardPlace, next: number): Promise<ShardState> {
    return this.#makeChunk(place, 0, { next, recent: [] });
  }

  /** Plans to bring the shard to entry `to`, in a new chunk where the one at hand is full. */
  async plan(place: ShardPlace, state: ShardState, to: number): Promise<ShardState> {
    if (state.unfinished !== undefined || state.next >= to) return state;
    const changes = await changesOf(this.#journal, place, { from: state.next, to });
    if (changes.length === 0) return { ...state, next: to };
    const full = state.appends >= this.#limits.appends || state.length >= this.#limits.bytes;
    const open = full ? await this.#makeChunk(place, state.chunk + 1, state) : state;
    return { ...open, unfinished: { chunk: open.chunk, offset: open.length, from: state.next, to } };
  }

  /** Brings what is missing of the append that was planned; `torn` leaves it unfinished after half of its last block. */
  async finish(place: ShardPlace, state: ShardState, torn: boolean): Promise<ShardState> {
    const append = state.unfinished;
    if (append === undefined) return state;
    const { path, bytes, lastBlock } = await appendBytes(this.#journal, place, append);
    const there = state.length - append.offset;
    const until = torn ? bytes.length - Math.ceil(lastBlock / 2) : bytes.length;
    if (until > there) await this.#files.append(path, state.length, bytes.subarray(there, until));
    const moved = { ...state, length: append.offset + Math.max(until, there), appends: state.appends + 1 };
    if (torn) return moved;
    const recent = [...state.recent, append].slice(-RECENT_APPENDS);
    return { ...moved, next: append.to, unfinished: undefined, recent };
  }

  /** Compares what is kept with what the chunk holds, after a start or a failure. */
  async comeToTerms(place: ShardPlace, state: ShardState): Promise<ShardState> {
    const { chunk, unfinished, recent, next } = state;
    const length = await this.#files.chunkLength(chunkPath(place.segment, chunk, place.shard));
    if (length === state.length) return state;
    if (length !== undefined && unfinished !== undefined && length >= unfinished.offset) {
      const { bytes } = await appendBytes(this.#journal, place, unfinished);
      if (length <= unfinished.offset + bytes.length) return { ...state, length };
    }
    // Azurite lost its last seconds: those appends are made again, in a chunk of their own where the old one is gone or cut elsewhere.
    const here = recent.filter((append) => append.chunk === chunk);
    const back = here.find((append) => append.offset === length) ?? (length === undefined ? here[0] : undefined);
    const from = back?.from ?? unfinished?.from ?? next;
    const kept = { next: from, recent: recent.filter((append) => append.to <= from) };
    if (back === undefined || length === undefined) return this.#makeChunk(place, chunk + 1, kept);
    return { ...state, ...kept, unfinished: undefined, length };
  }

  async #makeChunk(
    place: ShardPlace,
    chunk: number,
    { next, recent }: Pick<ShardState, 'next' | 'recent'>,
  ): Promise<ShardState> {
    const path = chunkPath(place.segment, chunk, place.shard);
    const header = headerOf(syncMarkerOf(path));
    await this.#files.createChunk(path);
    const length = (await this.#files.chunkLength(path)) ?? 0;
    // One that a crash left behind holds its header or part of it; one that holds more is not ours to go on with.
    if (length > header.length) return this.#makeChunk(place, chunk + 1, { next, recent });
    if (length < header.length) await this.#files.append(path, length, header.subarray(length));
    return { chunk, appends: 1, length: header.length, next, unfinished: undefined, recent };
  }
}
