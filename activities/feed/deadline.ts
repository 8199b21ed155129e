import type { Timestamp } from '../../namespace/entry.ts';
import type { Clock } from '../../schema/ports/clock.ts';

/**
 * When a turn is over. A clock that is put back ends it too: else it would last until that clock has come round. What
 * was over once stays so, whatever the clock then does: whoever stopped for it has left something undone.
 */
export class Deadline {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #began: Timestamp;
  readonly #until: Timestamp;
  #over = false;

  constructor(clock: Pick<Clock, 'now'>, seconds: number) {
    this.#clock = clock;
    this.#began = clock.now();
    this.#until = this.#began + seconds * 1000;
  }

  get over(): boolean {
    return this.leftMs === 0;
  }

  get leftMs(): number {
    const now = this.#clock.now();
    this.#over ||= now < this.#began || now >= this.#until;
    return this.#over ? 0 : this.#until - now;
  }
}
