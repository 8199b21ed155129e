/**
 * Opens the next segment while the one before it is read: between small segments the requests would else take longer
 * than the records. A failure is met, and told, by whoever then opens it in earnest.
 */
export class SegmentAhead<T> implements AsyncDisposable {
  readonly #open: (path: string, signal: AbortSignal) => Promise<T | undefined>;
  readonly #close: (next: T) => Promise<void>;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  #next: { readonly path: string; readonly opened: Promise<T | undefined> } | undefined;

  constructor(
    open: (path: string, signal: AbortSignal) => Promise<T | undefined>,
    close: (next: T) => Promise<void>,
    signal: AbortSignal,
  ) {
    this.#open = open;
    this.#close = close;
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
    if (next?.path === path) return opened;
    if (opened !== undefined) await this.#close(opened);
    return undefined;
  }

  /** Does something with it as soon as it is open, where it was asked for and nobody has taken it yet. */
  whenOpen(work: (next: T) => void): void {
    const next = this.#next;
    void next?.opened.then((opened) => {
      if (opened !== undefined && this.#next === next && !this.#signal.aborted) work(opened);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    const opened = await this.#next?.opened;
    if (opened !== undefined) await this.#close(opened);
  }
}
