import type { Instruments } from './instruments.ts';

/** How often the trigger and the feed said the same of one change, and how often they did not. */
export interface TrustCounts {
  readonly agreed: number;
  readonly mismatched: number;
}

export class TrustMetrics {
  readonly #agreements;
  readonly #mismatches;

  constructor(make: Instruments) {
    this.#agreements = make.counter(
      'isthmus_trust_agreements_total',
      'Changes that trigger and feed reported with the same sequencer.',
    );
    this.#mismatches = make.counter(
      'isthmus_trust_mismatches_total',
      'Changes that trigger and feed reported with different sequencers.',
    );
  }

  count({ agreed, mismatched }: TrustCounts): void {
    this.#agreements.inc(agreed);
    this.#mismatches.inc(mismatched);
  }
}
