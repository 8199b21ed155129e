interface Timer {
  leftMs: number;
  readonly give: () => void;
  refresh(): void;
}

/** Takes the place of every timer of so many milliseconds, so that they pass when a test says, and not while the machine stands still. */
export class StallTimers implements Disposable {
  readonly #system = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  readonly #timers = new Set<Timer>();
  #refreshed = Promise.withResolvers<void>();

  constructor(ms: number) {
    const { setTimeout, clearTimeout } = this.#system;
    const set = (...given: Parameters<typeof setTimeout>) => {
      const [give, after] = given;
      if (after !== ms) return setTimeout(...given);
      const refresh = () => {
        timer.leftMs = ms;
        this.#refreshed.resolve();
        this.#refreshed = Promise.withResolvers();
      };
      const timer: Timer = { leftMs: ms, give, refresh };
      this.#timers.add(timer);
      return timer;
    };
    const clear = (timer: Parameters<typeof clearTimeout>[0]) => {
      if (!this.#timers.delete(timer as unknown as Timer)) clearTimeout(timer);
    };
    globalThis.setTimeout = Object.assign(set, setTimeout) as unknown as typeof setTimeout;
    globalThis.clearTimeout = clear;
  }

  /** How many were neither cleared nor have passed. */
  get standing(): number {
    return this.#timers.size;
  }

  /** Settles when one of them begins anew. */
  refreshed(): Promise<void> {
    return this.#refreshed.promise;
  }

  pass(ms: number): void {
    for (const timer of this.#timers) {
      timer.leftMs -= ms;
      if (timer.leftMs > 0) continue;
      this.#timers.delete(timer);
      timer.give();
    }
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#system);
  }
}
