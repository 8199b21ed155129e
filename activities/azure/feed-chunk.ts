import { type AvroBlock, parseBlock } from '../../schema/feed/avro-block.ts';
import { type AvroHeader, parseHeader } from '../../schema/feed/avro-header.ts';
import { FeedCorruptError, FeedGapError } from '../../schema/feed/feed-error.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { ByteWindow } from './byte-window.ts';
import type { FeedDownload } from './feed-download.ts';

/** A header is about 2.5 KB; one this long is damage. */
const MOST_HEADER_BYTES = 1024 * 1024;
const FIRST_HEADER_BYTES = 8 * 1024;

/**
 * One chunk, read by byte ranges and only ever forward. It keeps the header and the bytes after the last whole block,
 * so that nothing is fetched twice while the chunk grows: growth is append-only, so what was read stays true.
 */
export class ChunkReader {
  readonly path: string;
  #header: AvroHeader | undefined;
  readonly #window = new ByteWindow();
  /** The file's version that was seen to end where the window ends. */
  #end: { readonly offset: number; readonly etag: string } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The block at an offset, or the first one at 0, with the header that says how it is to be read.
   *
   * @returns undefined where more bytes are needed.
   * @throws FeedCorruptError
   */
  blockAt(offset: number): { readonly header: AvroHeader; readonly block: AvroBlock } | undefined {
    if (this.#header === undefined) {
      this.#window.seek(offset);
      // Where reading begins in the middle, the header comes with the first bytes.
      if (offset > 0) return undefined;
      this.#header = this.#parseHeader(this.#window.bytes);
      if (this.#header === undefined) return undefined;
    }
    const at = Math.max(offset, this.#header.length);
    this.#window.seek(at);
    do {
      const block = parseBlock(this.path, this.#header, this.#window.head, at, at);
      if (block !== 'torn') return { header: this.#header, block };
    } while (this.#window.join());
    return undefined;
  }

  /** Whether bytes follow the block that was asked for last: of one that is not all there. */
  get torn(): boolean {
    return this.#window.end > this.#window.start;
  }

  /**
   * Looks into the block that is not all there: one that comes later ends in the file's marker, so a marker inside it
   * means that its length is damaged, and waiting for the rest would be for ever.
   *
   * @throws FeedCorruptError
   */
  refuseDamagedEnd(): void {
    if (this.#header === undefined) return;
    const { bytes, start } = this.#window;
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(this.#header.sync) < 0) return;
    throw new FeedCorruptError(this.path, start, 'the block says that it is longer than it is');
  }

  /** @returns whether any bytes came, and whether the file ends with them. */
  async more(
    store: FeedStore,
    download: FeedDownload,
    signal: AbortSignal,
  ): Promise<{ readonly came: boolean; readonly ended: boolean }> {
    const at = this.#window.end;
    const etag = this.#end?.offset === at && this.#end.etag !== '' ? this.#end.etag : undefined;
    const { bytes, ended, etag: seen } = await download.next(at, etag);
    if (ended && seen !== '') this.#end = { offset: at + bytes.length, etag: seen };
    if (bytes.length === 0) return { came: false, ended };
    if (this.#header === undefined && this.#window.start > 0) this.#header = await this.#fetchHeader(store, signal);
    this.#window.append(bytes);
    return { came: true, ended };
  }

  async #fetchHeader(store: FeedStore, signal: AbortSignal): Promise<AvroHeader> {
    for (let length = FIRST_HEADER_BYTES; ; length *= 4) {
      const answer = await store.readRange(this.path, 0, length, {}, signal);
      if (answer === undefined || answer === 'unchanged') throw new FeedGapError(this.path, 'is gone');
      const header = this.#parseHeader(answer.bytes);
      if (header !== undefined) return header;
      if (answer.bytes.length < length) throw new FeedCorruptError(this.path, 0, 'the header has no end');
    }
  }

  #parseHeader(bytes: Uint8Array): AvroHeader | undefined {
    const header = parseHeader(this.path, bytes);
    if (header !== 'torn') return header;
    if (bytes.length > MOST_HEADER_BYTES) throw new FeedCorruptError(this.path, 0, 'the header has no end');
    return undefined;
  }
}
