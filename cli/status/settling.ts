import type { Timestamp } from '../../namespace/entry.ts';

/** Believes that all is quiet only once it has been so, without a break, for long enough. */
export class Settling {
  readonly #forMs: number;
  #quietSince: Timestamp | undefined;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  observe(moving: boolean, now: Timestamp): boolean {
    if (moving) this.#quietSince = undefined;
    else this.#quietSince ??= now;
    return this.#quietSince !== undefined && now - this.#quietSince >= this.#forMs;
  }
}
