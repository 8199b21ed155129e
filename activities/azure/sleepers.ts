/** Those who wait for something to come, each for as much as is enough for it. */
export class Sleepers {
  readonly #wakes = new Set<() => void>();

  /** Ends every wait that has enough. */
  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /**
   * Waits until there is enough, which is asked now and at every `wake`, or until the time is over.
   *
   * @throws the signal's reason.
   */
  wait(ms: number, signal: AbortSignal, enough: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const end = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#wakes.delete(wake);
        settle();
      };
      const wake = () => {
        if (enough()) end(resolve);
      };
      const aborted = () => end(() => reject(signal.reason));
      const timer = setTimeout(() => end(resolve), ms);
      signal.addEventListener('abort', aborted, { once: true });
      this.#wakes.add(wake);
      wake();
    });
  }
}
