/**
 * Opens the next segment while the one before it is read: between small segments the requests would else take longer
 * than the records. A failure is met, and told, by whoever then opens it in earnest.
 */
export class SegmentAhead<T> implements AsyncDisposable {
  readonly #open: (path: string, signal: AbortSignal) => Promise<T | undefined>;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  #next: { readonly path: string; readonly opened: Promise<T | undefined> } | undefined;

  constructor(open: (path: string, signal: AbortSignal) => Promise<T | undefined>, signal: AbortSignal) {
    this.#open = open;
    this.#signal = AbortSignal.any([signal, this.#abort.signal]);
  }

  /** One at a time: who takes it asks for the next. */
  fetch(path: string | undefined): void {
    if (path === undefined || this.#next !== undefined) return;
    this.#next = { path, opened: this.#open(path, this.#signal).catch(() => undefined) };
  }

  /** @returns undefined where it was not asked for, or could not be had. */
  async take(path: string): Promise<T | undefined> {
    const next = this.#next;
    this.#next = undefined;
    const opened = await next?.opened;
    return next?.path === path ? opened : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#next?.opened;
  }
}
