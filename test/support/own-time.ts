/** More than this between two turns of the event loop is the machine's doing, but for what the process worked meanwhile. */
const LONGEST_TURN_MS = 50;

/** Time as this process lives it: while the machine, or the process alone, stands still, so does this. Its own work counts whole. */
export class OwnTime implements Disposable {
  readonly #began = Date.now();
  #last = performance.now();
  #worked = workedMs();
  #ms = 0;
  readonly #timer = setInterval(() => this.ms, 5).unref();

  /** Milliseconds since it was made. */
  get ms(): number {
    const now = performance.now();
    const worked = workedMs();
    // Several threads may work for longer than time passes.
    this.#ms += Math.min(now - this.#last, Math.max(LONGEST_TURN_MS, worked - this.#worked));
    this.#last = now;
    this.#worked = worked;
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

/** What the process has had of the processor. */
function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
