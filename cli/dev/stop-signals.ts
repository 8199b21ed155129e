const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A launcher hands a signal on that the terminal has sent to its whole group: one Ctrl-C may arrive twice. */
const ECHO_MS = 500;
/** How often it is looked whether npm is still there. */
const PARENT_POLL_MS = 500;

/**
 * Ctrl-C, `kill` and a closed terminal, while this is in use: the first asks, the second insists. Under `npx` and
 * `npm run` a `kill` reaches npm alone, which hands nothing on: there the end of the parent asks as well.
 */
export class StopSignals implements Disposable {
  readonly #first = new AbortController();
  readonly #handler = (): void => this.#arrived();
  readonly #watch: NodeJS.Timeout | undefined;
  #firstAt = 0;
  #onSecond: (() => void) | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#handler);
    const parent = process.ppid;
    if (process.env.npm_command !== undefined) {
      this.#watch = setInterval(() => {
        if (process.ppid === parent) return;
        clearInterval(this.#watch);
        this.#arrived();
      }, PARENT_POLL_MS).unref();
    }
  }

  /** Aborted by the first signal. */
  get first(): AbortSignal {
    return this.#first.signal;
  }

  untilFirst(): Promise<void> {
    if (this.first.aborted) return Promise.resolve();
    // The handlers alone do not keep a process alive.
    const alive = setInterval(() => {}, 1 << 30);
    return new Promise((resolve) => {
      this.first.addEventListener('abort', () => {
        clearInterval(alive);
        resolve();
      });
    });
  }

  onSecond(insist: () => void): void {
    this.#onSecond = insist;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
    for (const signal of SIGNALS) process.off(signal, this.#handler);
  }

  #arrived(): void {
    const now = performance.now();
    if (!this.first.aborted) {
      this.#firstAt = now;
      this.#first.abort(new Error('Stopped by a signal.'));
    } else if (now - this.#firstAt > ECHO_MS) this.#onSecond?.();
  }
}
