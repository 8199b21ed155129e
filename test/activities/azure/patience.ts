interface Timer {
  leftMs: number;
  readonly give: () => void;
}

/** Takes the place of every timer of so many milliseconds, so that they pass when a test says, and not while the machine stands still. */
export class Patience implements Disposable {
  readonly #system = globalThis.setTimeout;
  readonly #timers = new Set<Timer>();
  #refreshed = Promise.withResolvers<void>();

  constructor(ms: number) {
    const held = (...given: Parameters<typeof setTimeout>) => {
      const [give, after] = given;
      if (after !== ms) return this.#system(...given);
      const timer: Timer = { leftMs: ms, give };
      this.#timers.add(timer);
      const refresh = () => {
        timer.leftMs = ms;
        this.#refreshed.resolve();
        this.#refreshed = Promise.withResolvers();
      };
      return { refresh };
    };
    globalThis.setTimeout = Object.assign(held, this.#system) as unknown as typeof setTimeout;
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
    globalThis.setTimeout = this.#system;
  }
}
