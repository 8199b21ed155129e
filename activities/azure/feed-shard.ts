import { setImmediate } from 'node:timers/promises';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import type { ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedFile, FeedStore } from '../../schema/ports/feed-store.ts';
import type { ByteBudget } from './byte-budget.ts';
import { listChunks } from './chunk-listing.ts';
import { ChunkReader } from './feed-chunk.ts';
import { FeedDownload } from './feed-download.ts';
import type { FeedPage } from './feed-page.ts';
import { PageBuilder } from './feed-page-builder.ts';

export interface ShardOptions {
  readonly source: 'feed' | 'replay';
  /** A page ends at the end of the block that reaches this. */
  readonly pageRecords: number;
  readonly sliceBytes: number;
  readonly budget: ByteBudget;
  /** How long a file that must be whole may still be seen torn, in milliseconds. */
  readonly graceMs: number;
  /** How long a listing of chunks is good while nothing says otherwise, in milliseconds. */
  readonly relistMs: number;
  now(): number;
}

/** How far a pass has come. */
interface Pass {
  readonly signal: AbortSignal;
  /** Where the shard's cursor will stand once the pages so far are committed. */
  cursor: ShardPosition | undefined;
  /** Where to read on: ahead of the cursor where a chunk holds nothing more. */
  position: ShardPosition | undefined;
  /** Bytes have come. */
  grew: boolean;
}

/**
 * One shard of one segment: a row of chunks, of which only the last still grows. Kept from poll to poll for the
 * header and the unfinished block of that chunk, and for the listing.
 */
export class FeedShard {
  readonly #store: FeedStore;
  readonly #segment: string;
  readonly prefix: string;
  readonly #options: ShardOptions;
  #listing: { readonly chunks: readonly FeedFile[]; readonly at: number; readonly final: boolean } | undefined;
  #reader: ChunkReader | undefined;
  /** The last pass found bytes. When a pass then finds none, the next chunk may have been begun. */
  #grew = false;
  /** Since when a file that must be whole has been seen torn. */
  #tornSince: number | undefined;

  constructor(store: FeedStore, segment: string, prefix: string, options: ShardOptions) {
    this.#store = store;
    this.#segment = segment;
    this.prefix = prefix;
    this.#options = options;
  }

  /** Something else has changed: the chunks are listed again. */
  forgetListing(): void {
    this.#listing = undefined;
  }

  /** Lists the chunks of a shard whose segment is finished, before anybody asks for its pages. */
  async listAhead(signal: AbortSignal): Promise<void> {
    await this.#chunks(undefined, true, signal);
  }

  /**
   * The pages from a position to the end that the shard has now. `final`: nothing more is written to it, so that what
   * is there must be whole.
   */
  async *pages(
    from: ShardPosition | undefined,
    final: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<FeedPage, 'whole' | 'torn'> {
    const pass: Pass = { signal, cursor: from, position: from, grew: false };
    for (;;) {
      const chunks = await this.#chunks(pass.position, final, signal);
      const end = yield* this.#readChunks(chunks, final, pass);
      const stopped = this.#grew && !pass.grew;
      this.#grew = pass.grew;
      if (final || !stopped) return end;
      this.forgetListing();
      if ((await this.#chunks(pass.position, final, signal)).length === chunks.length) return end;
    }
  }

  async *#readChunks(
    chunks: readonly FeedFile[],
    final: boolean,
    pass: Pass,
  ): AsyncGenerator<FeedPage, 'whole' | 'torn'> {
    const first = pass.position === undefined ? 0 : chunks.findIndex(({ path }) => path === pass.position?.chunk);
    for (const [at, chunk] of chunks.entries()) {
      if (at < first) continue;
      if (pass.position?.chunk !== chunk.path) pass.position = { chunk: chunk.path, offset: 0, index: 0 };
      const torn = yield* this.#readChunk(chunk, pass.position, pass);
      // A chunk that has a successor, or whose segment is finished, was read after that was known: what is there is everything.
      if (torn && (final || at < chunks.length - 1)) this.#refuseTorn(chunk.path, pass.position.offset);
      if (torn) return 'torn';
      this.#tornSince = undefined;
    }
    return 'whole';
  }

  /** @returns whether bytes of an unfinished block remain. */
  async *#readChunk(chunk: FeedFile, from: ShardPosition, pass: Pass): AsyncGenerator<FeedPage, boolean> {
    const { source, pageRecords, sliceBytes, budget } = this.#options;
    const reader = this.#reader?.path === chunk.path ? this.#reader : new ChunkReader(chunk.path);
    this.#reader = reader;
    const limits = { budget, slice: sliceBytes, length: chunk.length };
    const download = new FeedDownload(this.#store, chunk.path, limits, pass.signal);
    let page = new PageBuilder(source, pass.cursor);
    let { offset, index } = from;
    let ended = false;
    const turnPage = (): FeedPage => {
      const to = { chunk: chunk.path, offset, index };
      const built = page.build(this.#segment, this.prefix, to);
      page = new PageBuilder(source, to);
      pass.cursor = to;
      pass.position = to;
      return built;
    };
    try {
      for (;;) {
        const found = reader.blockAt(offset);
        if (found !== undefined) {
          page.add(chunk.path, found.header, found.block, index);
          offset = found.block.next;
          index = 0;
          if (page.records < pageRecords) continue;
          yield turnPage();
          // Decoding must not keep heartbeats and other shards waiting.
          await setImmediate();
        } else {
          if (ended) break;
          const more = await reader.more(this.#store, download, pass.signal);
          ended = more.ended;
          pass.grew ||= more.came;
        }
      }
    } catch (error) {
      // What is good before the damage is not lost with it.
      if (page.records > 0 && !pass.signal.aborted) yield turnPage();
      throw error;
    } finally {
      await download.close();
    }
    if (page.records > 0) yield turnPage();
    else if (offset > from.offset) pass.position = { chunk: chunk.path, offset, index };
    if (reader.torn) reader.refuseDamagedEnd();
    return reader.torn;
  }

  #refuseTorn(path: string, offset: number): void {
    const now = this.#options.now();
    if (this.#tornSince === undefined || now < this.#tornSince) this.#tornSince = now;
    if (now - this.#tornSince < this.#options.graceMs) return;
    throw new FeedCorruptError(
      path,
      offset,
      'the file ends in the middle of a block, though nothing more is written to it',
    );
  }

  async #chunks(
    position: ShardPosition | undefined,
    final: boolean,
    signal: AbortSignal,
  ): Promise<readonly FeedFile[]> {
    const now = this.#options.now();
    const known = this.#listing;
    if (known !== undefined && (known.final || (!final && this.#isFresh(known, position, now)))) return known.chunks;
    const chunks = await listChunks(this.#store, this.prefix, position, signal);
    this.#listing = { chunks, at: now, final };
    return chunks;
  }

  /** A clock that has jumped back makes no listing fresh. */
  #isFresh(
    listing: { readonly chunks: readonly FeedFile[]; readonly at: number },
    position: ShardPosition | undefined,
    now: number,
  ): boolean {
    const age = now - listing.at;
    if (age < 0 || age >= this.#options.relistMs) return false;
    return position === undefined || listing.chunks.some(({ path }) => path === position.chunk);
  }
}
