import { type AvroBlock, parseBlock } from '../../schema/feed/avro-block.ts';
import { type AvroHeader, parseHeader, SYNC_BYTES } from '../../schema/feed/avro-header.ts';
import { FeedCorruptError, FeedGapError } from '../../schema/feed/feed-error.ts';
import { readVarint } from '../../schema/feed/varint.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { ByteWindow } from './byte-window.ts';
import { LONGEST_BLOCK, wholeBlockBefore } from './whole-block-before.ts';

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

  /**
   * Where the next whole block begins after a bad one. The next marker ends it, or ends the bad one itself. Where
   * none follows, the bad one's own length may still lead to a block that is not all there yet.
   */
  async blockAfter(header: AvroHeader, offset: number): Promise<number> {
    const marker = await this.#nextMarker(header.sync, offset);
    if (marker !== undefined) {
      const { bytes, start } = this.#window;
      return wholeBlockBefore(this.#path, header, { bytes, start }, offset + 1, marker) ?? marker + SYNC_BYTES;
    }
    const claimed = await this.#claimedEnd(offset);
    return claimed !== undefined && (await this.#mayBeBlock(header, claimed)) ? claimed : await this.end();
  }

  /** Whether a block ends anywhere from an offset on. */
  async hasMarker(header: AvroHeader, offset: number): Promise<boolean> {
    return (await this.#nextMarker(header.sync, offset)) !== undefined;
  }

  /** The file's length. */
  async end(): Promise<number> {
    while (await this.#more()) this.#window.seek(this.#window.end);
    return this.#window.end;
  }

  async #mayBeBlock(header: AvroHeader, offset: number): Promise<boolean> {
    try {
      await this.block(header, offset);
      return true;
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

  /** The first marker from an offset on; the bytes that its block may have are then at hand. */
  async #nextMarker(sync: Uint8Array, offset: number): Promise<number | undefined> {
    this.#window.seek(offset);
    for (let from = offset; ; ) {
      const { bytes, start } = this.#window;
      const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(sync, from - start);
      if (at >= 0) return start + at;
      from = Math.max(from, this.#window.end - SYNC_BYTES + 1);
      this.#window.seek(Math.max(start, from - LONGEST_BLOCK));
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
