/**
 * A source whose first item is fetched before anybody asks for it: one item is held, never more. A failure is met by
 * whoever asks.
 */
export class Begun<T, R> implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #source: AsyncGenerator<T, R>;
  readonly #first: Promise<IteratorResult<T, R>>;

  constructor(open: (signal: AbortSignal) => AsyncGenerator<T, R>) {
    this.#source = open(this.#abort.signal);
    this.#first = this.#source.next();
    this.#first.catch(() => {});
  }

  /** All of it, to be asked for once. */
  async *items(signal: AbortSignal): AsyncGenerator<T, R> {
    const stop = () => this.#abort.abort(signal.reason);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      for (let step = await this.#first; ; step = await this.#source.next()) {
        if (step.done === true) return step.value;
        yield step.value;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#source.return(undefined as R);
    }
  }

  /** Ends it, and waits until nothing of it is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#first.catch(() => {});
    await this.#source.return(undefined as R).catch(() => {});
  }
}
