import { FeedGapError } from '../../schema/feed/feed-error.ts';
import type { FeedBytes, FeedStore } from '../../schema/ports/feed-store.ts';
import type { ByteBudget } from './byte-budget.ts';

/** Slices that are under way or waiting behind the one that is decoded. */
const AHEAD = 2;
/** What a decoder gets though the budget is spent, so that no shard waits for another's consumer. */
const LEAST_BYTES = 256 * 1024;

interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly answer: Promise<FeedBytes | 'unchanged' | undefined>;
}

export interface DownloadOptions {
  readonly budget: ByteBudget;
  /** Bytes asked for at a time. */
  readonly slice: number;
  /** Bytes that the file was listed with: nothing past them is asked for ahead. */
  readonly length: number;
}

/** The slices of one chunk in order, fetched ahead of whoever decodes them as far as the budget goes. */
export class FeedDownload {
  readonly #store: FeedStore;
  readonly #path: string;
  readonly #options: DownloadOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  #ahead: Piece[] = [];
  /** Bytes of the slice that was handed out last. */
  #held = 0;

  constructor(store: FeedStore, path: string, options: DownloadOptions, signal: AbortSignal) {
    this.#store = store;
    this.#path = path;
    this.#options = options;
    this.#signal = AbortSignal.any([signal, this.#abort.signal]);
  }

  /**
   * The bytes at an offset, which gives back the slice before them.
   *
   * @returns `ended`: the file has no more than these.
   * @throws FeedGapError where the file is gone.
   */
  async next(offset: number, etag: string | undefined): Promise<FeedBytes & { readonly ended: boolean }> {
    this.#options.budget.give(this.#held);
    this.#held = 0;
    if (this.#ahead[0]?.offset !== offset) await this.#drop();
    if (this.#ahead.length === 0)
      this.#start(offset, this.#lengthAt(offset), this.#isListed(offset) ? undefined : etag);
    this.#startAhead();
    const piece = this.#ahead.shift();
    if (piece === undefined) return { bytes: new Uint8Array(), etag: '', ended: true };
    this.#held = piece.length;
    const answer = await piece.answer;
    if (answer === undefined) throw new FeedGapError(this.#path, 'is gone');
    if (answer === 'unchanged') return { bytes: new Uint8Array(), etag: etag ?? '', ended: true };
    return { ...answer, ended: answer.bytes.length < piece.length };
  }

  /** Ends what is under way, and waits until it has ended. */
  async close(): Promise<void> {
    if (this.#ahead.length > 0) this.#abort.abort();
    await this.#drop();
    this.#options.budget.give(this.#held);
    this.#held = 0;
  }

  /**
   * Whether the listing says that bytes stand there. No condition is put then: an answer may have brought the bytes of
   * one version with the ETag of the next, which Azurite's does when an append comes between, and would hide what that
   * append brought for as long as nothing more is written.
   */
  #isListed(offset: number): boolean {
    return offset < this.#options.length;
  }

  #startAhead(): void {
    const { budget } = this.#options;
    for (let last = this.#ahead.at(-1); last !== undefined && this.#ahead.length <= AHEAD; last = this.#ahead.at(-1)) {
      const offset = last.offset + last.length;
      const bytes = this.#wanted(offset);
      if (!this.#isListed(offset) || !budget.tryTake(bytes)) return;
      this.#start(offset, bytes, undefined);
    }
  }

  /** What is asked for at an offset that is needed now; it is taken from the budget. */
  #lengthAt(offset: number): number {
    const { budget } = this.#options;
    const wanted = this.#wanted(offset);
    if (budget.tryTake(wanted)) return wanted;
    const least = Math.min(wanted, LEAST_BYTES);
    budget.take(least);
    return least;
  }

  /** Not much more than the file was listed with, so that the budget is not spent on what is not there. */
  #wanted(offset: number): number {
    return Math.min(this.#options.slice, Math.max(0, this.#options.length - offset) + LEAST_BYTES);
  }

  #start(offset: number, length: number, etag: string | undefined): void {
    const answer = this.#store.readRange(this.#path, offset, length, { ifNoneMatch: etag }, this.#signal);
    // A failure is met when the slice is asked for.
    answer.catch(() => {});
    this.#ahead.push({ offset, length, answer });
  }

  async #drop(): Promise<void> {
    const dropped = this.#ahead;
    this.#ahead = [];
    await Promise.allSettled(dropped.map(({ answer }) => answer));
    for (const { length } of dropped) this.#options.budget.give(length);
  }
}
