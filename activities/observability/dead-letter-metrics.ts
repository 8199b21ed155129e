import type { DeadLetterOrigin } from '../../schema/index/dead-letters.ts';
import type { Instruments } from './instruments.ts';

/** Dead letters that wait for somebody. */
export interface OpenLetters {
  readonly origin: DeadLetterOrigin;
  readonly reason: string;
  readonly count: number;
  /** Counting stopped at its limit: there may be more. */
  readonly atLeast: boolean;
}

/** Known words, so that whoever dead-letters with a sentence for a reason cannot grow the registry without bound. */
const KNOWN_REASON = /^[A-Za-z][A-Za-z-]{0,63}$/;
const MOST_REASONS = 50;

/** What was dead-lettered, and what of it is still there. */
export class DeadLetterMetrics {
  readonly #reasons = new Set<string>();
  readonly #total;
  readonly #open;

  constructor(make: Instruments) {
    this.#total = make.counter('isthmus_dead_letters_total', 'Messages that this process could not apply.', [
      'origin',
      'reason',
    ]);
    this.#open = make.gauge(
      'isthmus_open_dead_letters',
      "Dead letters that nobody has replayed or discarded; of the Service Bus queue's own at most the first hundred are counted, of the index's the newest 10,000: where they add up to that, there are at least as many.",
      ['origin', 'reason'],
    );
  }

  appeared(origin: DeadLetterOrigin, reason: string): void {
    this.#total.inc({ origin, reason: this.#known(reason) });
  }

  open(letters: readonly OpenLetters[]): void {
    this.#open.reset();
    for (const { origin, reason, count } of letters) this.#open.inc({ origin, reason: this.#known(reason) }, count);
  }

  #known(reason: string): string {
    if (this.#reasons.has(reason)) return reason;
    if (!KNOWN_REASON.test(reason) || this.#reasons.size >= MOST_REASONS) return 'other';
    this.#reasons.add(reason);
    return reason;
  }
}
