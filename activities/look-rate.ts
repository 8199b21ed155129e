import type { Timestamp } from '../namespace/entry.ts';

/** How many blobs are asked for in a second, at most, over any time that is longer than one. */
export class LookRate {
  readonly perSecond: number;
  #freeAt: Timestamp = 0;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
  }

  /** @returns how many milliseconds nobody is to be asked for. */
  pauseMs(now: Timestamp): number {
    return Math.max(0, Math.ceil(this.#freeAt - now));
  }

  /** So many are asked for now; they are paid for by what is asked for after them. */
  spend(count: number, now: Timestamp): void {
    this.#freeAt = Math.max(this.#freeAt, now) + (count * 1000) / this.perSecond;
  }
}
