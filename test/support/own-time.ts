/** More than this between two turns of the event loop is the machine's doing. */
const LONGEST_TURN_MS = 50;

/** Time as this process lives it: while the machine, or the process alone, stands still, so does this. */
export class OwnTime implements Disposable {
  readonly #began = Date.now();
  #last = performance.now();
  #ms = 0;
  readonly #timer = setInterval(() => this.ms, 5).unref();

  /** Milliseconds since it was made. */
  get ms(): number {
    const now = performance.now();
    this.#ms += Math.min(now - this.#last, LONGEST_TURN_MS);
    this.#last = now;
    return this.#ms;
  }

  /** Milliseconds since 1970, whole. */
  now(): number {
    return this.#began + Math.floor(this.ms);
  }

  /** Waits until so much of it has passed. */
  async pass(ms: number): Promise<void> {
    for (const end = this.ms + ms; this.ms < end; ) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
