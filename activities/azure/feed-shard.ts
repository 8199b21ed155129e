import { setImmediate } from 'node:timers/promises';
import { FeedCorruptError, FeedGapError } from '../../schema/feed/feed-error.ts';
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
  readonly leftOut: LeftOut;
  now(): number;
}

/**
 * Where the damage ends that begins at an offset, or holds it, where somebody has left it out for good; undefined
 * where nobody has, and the feed stops there.
 */
export type LeftOut = (path: string, offset: number) => Promise<number | undefined>;

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
  /** The file that must be whole and has been seen torn, and since when. */
  #torn: { readonly path: string; readonly since: number } | undefined;

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
      if (!torn) continue;
      // A chunk that has a successor, or whose segment is finished, was read after that was known: what is there is everything.
      const isEverything = final || at < chunks.length - 1;
      if (!isEverything || !(await this.#mayPassTorn(chunk.path, pass.position.offset))) return 'torn';
    }
    return 'whole';
  }

  /** @returns whether bytes of an unfinished block remain. */
  async *#readChunk(chunk: FeedFile, from: ShardPosition, pass: Pass): AsyncGenerator<FeedPage, boolean> {
    const { source, pageRecords, sliceBytes, budget } = this.#options;
    let reader = this.#reader?.path === chunk.path ? this.#reader : new ChunkReader(chunk.path);
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
    /** @returns whether there was one. */
    const takeBlock = (): boolean => {
      const found = reader.blockAt(offset);
      if (found === undefined) return false;
      page.add(chunk.path, found.header, found.block, index);
      offset = found.block.next;
      index = 0;
      return true;
    };
    try {
      for (;;) {
        try {
          if (!takeBlock()) {
            if (ended && reader.torn) reader.refuseDamagedEnd();
            if (ended) break;
            const more = await reader.more(this.#store, download, pass.signal);
            ended = more.ended;
            pass.grew ||= more.came;
            continue;
          }
        } catch (error) {
          if (error instanceof FeedGapError && (await this.#isNothingMissing(chunk.path, offset, pass.signal))) break;
          offset = await this.#behindDamage(error, offset);
          index = 0;
          ended = false;
          reader = new ChunkReader(chunk.path);
          this.#reader = reader;
          continue;
        }
        if (page.records < pageRecords) continue;
        yield turnPage();
        // Decoding must not keep heartbeats and other shards waiting.
        await setImmediate();
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
    return reader.torn;
  }

  /**
   * Whether a chunk that cannot be had is still listed, with nothing from an offset on: all of it was read, or its gap
   * is passed already.
   *
   * @throws FeedGapError where it is not listed any more.
   */
  async #isNothingMissing(path: string, offset: number, signal: AbortSignal): Promise<boolean> {
    const chunks = await listChunks(this.#store, this.prefix, { chunk: path, offset, index: 0 }, signal);
    return chunks.every((chunk) => chunk.path !== path || chunk.length <= offset);
  }

  /** Where to go on behind damage that was left out. @throws what it was given, where it was not. */
  async #behindDamage(error: unknown, offset: number): Promise<number> {
    const to = error instanceof FeedCorruptError ? await this.#options.leftOut(error.path, error.offset) : undefined;
    if (to === undefined || to <= offset) throw error;
    return to;
  }

  /**
   * Whether a file that is torn, though it must be whole, is passed over, as its rest was left out. It is waited for a
   * while before it counts as damage.
   */
  async #mayPassTorn(path: string, offset: number): Promise<boolean> {
    if ((await this.#options.leftOut(path, offset)) !== undefined) return true;
    const now = this.#options.now();
    if (this.#torn?.path !== path || now < this.#torn.since) this.#torn = { path, since: now };
    if (now - this.#torn.since < this.#options.graceMs) return false;
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
