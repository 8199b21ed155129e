/**
 * A source whose first item is fetched before anybody asks for it: one item is held, never more. Where that failed, it
 * is opened anew when it is asked for, as what was wrong may have passed.
 */
export class Begun<T, R> implements AsyncDisposable {
  readonly #open: (signal: AbortSignal) => AsyncGenerator<T, R>;
  readonly #abort = new AbortController();
  readonly #source: AsyncGenerator<T, R>;
  readonly #first: Promise<IteratorResult<T, R>>;

  constructor(open: (signal: AbortSignal) => AsyncGenerator<T, R>) {
    this.#open = open;
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
      const first = await this.#first.catch(() => undefined);
      if (first === undefined) {
        signal.throwIfAborted();
        return yield* this.#open(signal);
      }
      for (let step = first; ; step = await this.#source.next()) {
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
