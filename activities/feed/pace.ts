const FIRST_MS = 100;

/** How long the feed is left alone after a pass to its end: not at all after news, then longer and longer. */
export class Pace {
  readonly #mostMs: number;
  #nextMs = 0;

  /** @param mostMs between two polls of an idle feed. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** @returns milliseconds. */
  after(news: boolean): number {
    if (news) {
      this.#nextMs = Math.min(FIRST_MS, this.#mostMs);
      return 0;
    }
    const pause = Math.max(this.#nextMs, Math.min(FIRST_MS, this.#mostMs));
    this.#nextMs = Math.min(this.#mostMs, pause * 2);
    return pause;
  }
}
