import { type AvroBlock, parseBlock } from '../../schema/feed/avro-block.ts';
import { type AvroHeader, parseHeader, SYNC_BYTES } from '../../schema/feed/avro-header.ts';
import { FeedCorruptError, FeedGapError } from '../../schema/feed/feed-error.ts';
import { readVarint } from '../../schema/feed/varint.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { ByteWindow } from './byte-window.ts';

const SLICE_BYTES = 4 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
const MOST_HEADER_BYTES = 1024 * 1024;

/** A chunk as it is now, whole or broken, to be looked through in any direction. Its end is where it was seen first. */
export class ChunkFile {
  readonly #store: FeedStore;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #window = new ByteWindow();
  #end: number | undefined;

  constructor(store: FeedStore, path: string, signal: AbortSignal) {
    this.#store = store;
    this.#path = path;
    this.#signal = signal;
  }

  /** @returns `torn` where the file ends before its header does. */
  async header(): Promise<AvroHeader | 'torn'> {
    this.#window.seek(0);
    for (;;) {
      const header = parseHeader(this.#path, this.#window.bytes);
      if (header !== 'torn') return header;
      if (this.#window.end > MOST_HEADER_BYTES) throw new FeedCorruptError(this.#path, 0, 'the header has no end');
      if (!(await this.#more())) return 'torn';
    }
  }

  /** @throws FeedCorruptError where it is damaged. */
  async block(header: AvroHeader, offset: number): Promise<AvroBlock | 'torn' | 'end'> {
    this.#window.seek(offset);
    for (;;) {
      const block = parseBlock(this.#path, header, this.#window.bytes, offset, this.#window.start);
      if (block !== 'torn') return block;
      if (!(await this.#more())) return offset >= this.#window.end ? 'end' : 'torn';
    }
  }

  /** Where the next block begins after a bad one: by the marker between them, or by the bad one's own length. */
  async blockAfter(header: AvroHeader, offset: number): Promise<number> {
    const marked = await this.#afterMarker(header.sync, offset);
    const claimed = await this.#claimedEnd(offset);
    // Where a marker alone is damaged, the length still leads to a block, and the next marker would pass over it.
    if (claimed !== undefined && (marked === undefined || claimed < marked)) {
      if (await this.#isBlock(header, claimed, marked === undefined)) return claimed;
    }
    return marked ?? (await this.end());
  }

  /** The file's length. */
  async end(): Promise<number> {
    while (await this.#more()) this.#window.seek(this.#window.end);
    return this.#window.end;
  }

  async #isBlock(header: AvroHeader, offset: number, mayBeTorn: boolean): Promise<boolean> {
    try {
      const block = await this.block(header, offset);
      return block === 'end' || block !== 'torn' || mayBeTorn;
    } catch (error) {
      if (error instanceof FeedCorruptError) return false;
      throw error;
    }
  }

  /** Where the block at an offset says that it ends; undefined where it says nothing that can be. */
  async #claimedEnd(offset: number): Promise<number | undefined> {
    this.#window.seek(offset);
    while (this.#window.bytes.length < 20 && (await this.#more()));
    const count = readVarint(this.#window.bytes, 0);
    if (count.kind !== 'value' || count.value < 0) return undefined;
    const size = readVarint(this.#window.bytes, count.next);
    if (size.kind !== 'value' || size.value < 0) return undefined;
    const end = offset + size.next + size.value + SYNC_BYTES;
    return end > (await this.end()) ? undefined : end;
  }

  /** The byte after the first marker from an offset on. */
  async #afterMarker(sync: Uint8Array, offset: number): Promise<number | undefined> {
    this.#window.seek(offset);
    for (;;) {
      const at = Buffer.from(this.#window.bytes).indexOf(sync);
      if (at >= 0) return this.#window.start + at + SYNC_BYTES;
      this.#window.seek(Math.max(this.#window.start, this.#window.end - SYNC_BYTES + 1));
      if (!(await this.#more())) return undefined;
    }
  }

  /** @returns whether there was more. */
  async #more(): Promise<boolean> {
    const at = this.#window.end;
    if (this.#end !== undefined && at >= this.#end) return false;
    const length = at === 0 ? FIRST_BYTES : SLICE_BYTES;
    const answer = await this.#store.readRange(this.#path, at, length, {}, this.#signal);
    if (answer === undefined || answer === 'unchanged') throw new FeedGapError(this.#path, 'is gone');
    if (answer.bytes.length < length) this.#end = at + answer.bytes.length;
    this.#window.append(answer.bytes);
    return answer.bytes.length > 0;
  }
}
