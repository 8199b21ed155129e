/** How hard a sink is driven, and when it is let alone. Milliseconds. */
export interface Pace {
  readonly atOnce: number;
  readonly pauseMs: number;
}

export interface PaceLimits {
  readonly most: number;
  /** Failures in a row, with no success between them, after which the sink itself is taken to be in trouble. */
  readonly patience: number;
}

const LONGEST_PAUSE = 5000;

/**
 * Slows down when the sink errors and comes back step by step: halved and paused where half of a batch or more
 * failed, eight more where none did. One name that fails alone slows nobody.
 */
export class SinkPace {
  readonly #limits: PaceLimits;
  #atOnce: number;
  #pauseMs = 0;
  #failedInARow = 0;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
    this.#atOnce = limits.most;
  }

  get pace(): Pace {
    return { atOnce: this.#atOnce, pauseMs: this.#pauseMs };
  }

  /** True where nothing has worked for so long that going on would only mark more names as failed. */
  get hopeless(): boolean {
    return this.#failedInARow >= this.#limits.patience;
  }

  batch(done: number, failed: number): void {
    this.#failedInARow = done > 0 ? 0 : this.#failedInARow + failed;
    if (failed > 1 && failed >= done) {
      this.#atOnce = Math.max(1, Math.floor(this.#atOnce / 2));
      this.#pauseMs = Math.min(LONGEST_PAUSE, Math.max(100, this.#pauseMs * 2));
    } else if (failed === 0 && done > 0) {
      this.#atOnce = Math.min(this.#limits.most, this.#atOnce + 8);
      this.#pauseMs = 0;
    }
  }
}
