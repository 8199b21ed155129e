import { hasCode, IsthmusError } from '../../schema/errors.ts';
import { parseBlock } from '../../schema/feed/avro-block.ts';
import { type AvroHeader, parseHeader } from '../../schema/feed/avro-header.ts';
import { corrupt } from '../../schema/feed/corrupt.ts';
import type { RecordPosition } from '../../schema/feed/record.ts';
import { decodeBlock } from '../../schema/feed/record-type.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';

/** A header is about 2.5 KB; one this long is damage. */
const MOST_HEADER_BYTES = 1024 * 1024;
const FIRST_HEADER_BYTES = 8 * 1024;
const NOTHING = new Uint8Array();

export interface ReadLimits {
  /** Stops at the end of the block that reaches this. */
  readonly records: number;
  /** Bytes asked for at a time. */
  readonly slice: number;
  /** Bytes that the file is known to have: nothing is asked for past it. None: ask until nothing comes. */
  readonly length: number | undefined;
}

export interface ChunkPosition {
  readonly offset: number;
  readonly index: number;
}

export interface ChunkRead extends ChunkPosition {
  /** Everything that is there was read. `torn`: bytes of an unfinished block (or header) remain. */
  readonly end: 'no' | 'whole' | 'torn';
}

/**
 * Reads one chunk by byte ranges, only ever forward. It keeps the header and the bytes after the last whole block,
 * so that nothing is fetched twice while the chunk grows: growth is append-only, so what was read stays true.
 */
export class ChunkReader {
  readonly #store: FeedStore;
  readonly #path: string;
  #header: AvroHeader | undefined;
  /** Bytes of the file from `#start` on. */
  #bytes: Uint8Array = NOTHING;
  #start = 0;

  constructor(store: FeedStore, path: string) {
    this.#store = store;
    this.#path = path;
  }

  /** Hands each record after `from` to `take`, a whole block at a time. */
  async read(
    from: ChunkPosition,
    limits: ReadLimits,
    take: (record: unknown, position: RecordPosition) => void,
    signal: AbortSignal,
  ): Promise<ChunkRead> {
    const header = await this.#readHeader(from.offset, limits, signal);
    if (header === 'torn') return { ...from, end: this.#bytes.length === 0 ? 'whole' : 'torn' };
    let offset = Math.max(from.offset, header.length);
    let skip = from.index;
    let taken = 0;
    this.#forward(offset);
    while (taken < limits.records) {
      const block = this.#blockAt(header, offset, taken > 0);
      if (block === 'damaged') break;
      if (block === 'torn') {
        if (await this.#fetch(limits, signal)) continue;
        // An offset of 0 says that no block was read, so that a cursor never points into a header.
        const untouched = offset === header.length && skip === 0;
        const end = this.#start + this.#bytes.length > offset ? 'torn' : 'whole';
        return { offset: untouched ? from.offset : offset, index: skip, end };
      }
      for (let index = skip; index < block.records.length; index++) {
        take(block.records[index], { path: this.#path, offset, index });
        taken++;
      }
      skip = 0;
      offset = block.next;
    }
    this.#forward(offset);
    return { offset, index: 0, end: 'no' };
  }

  /** The block at an offset, decoded as a whole. Damage after good blocks is left for the next read, so that those are not lost with it. */
  #blockAt(header: AvroHeader, offset: number, goodBefore: boolean) {
    try {
      const block = parseBlock(this.#path, header, this.#bytes, offset - this.#start, this.#start);
      if (block === 'torn') return block;
      const records = [...decodeBlock(this.#path, header, this.#bytes, block, this.#start)];
      return { records, next: this.#start + block.next };
    } catch (error) {
      if (goodBefore && hasCode(error, 'ISTHMUS_FEED_CORRUPT')) return 'damaged';
      throw error;
    }
  }

  /** Drops what stands before `offset`; forgets everything where the offset is elsewhere. */
  #forward(offset: number): void {
    const end = this.#start + this.#bytes.length;
    this.#bytes = offset < this.#start || offset > end ? NOTHING : this.#bytes.subarray(offset - this.#start);
    this.#start = offset;
  }

  /** @returns whether any bytes came. */
  async #fetch(limits: ReadLimits, signal: AbortSignal): Promise<boolean> {
    const at = this.#start + this.#bytes.length;
    if (limits.length !== undefined && at >= limits.length) return false;
    const more = await this.#range(at, limits.slice, signal);
    if (more.length === 0) return false;
    this.#bytes = this.#bytes.length === 0 ? more : Buffer.concat([this.#bytes, more]);
    return true;
  }

  async #readHeader(offset: number, limits: ReadLimits, signal: AbortSignal): Promise<AvroHeader | 'torn'> {
    if (this.#header !== undefined) return this.#header;
    // A chunk that is read from its beginning has its first blocks in the same bytes.
    const slice = offset === 0 ? limits.slice : FIRST_HEADER_BYTES;
    if (this.#start !== 0) this.#forward(0);
    for (;;) {
      const header = parseHeader(this.#path, this.#bytes);
      if (header !== 'torn') {
        this.#header = header;
        return header;
      }
      if (this.#bytes.length > MOST_HEADER_BYTES) throw corrupt(this.#path, 0, 'the header has no end');
      if (!(await this.#fetch({ ...limits, slice }, signal))) return 'torn';
    }
  }

  async #range(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#store.readRange(this.#path, offset, length, signal);
    if (bytes !== undefined) return bytes;
    throw new IsthmusError(
      'ISTHMUS_FEED_GAP',
      `${this.#path} is gone, with records that were not read: a reconcile must heal what they said`,
    );
  }
}
