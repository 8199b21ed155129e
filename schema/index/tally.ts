import type { Decision } from '../../namespace/decision.ts';

/**
 * What became of a page, exactly: `applied + superseded + Σ ignored = records`. A record is applied where it
 * was newer than everything before it for its key (a wanted look counts as applied), superseded where its
 * clock is equal or lower. Violations are in `ignored` as `vast-has-authority`.
 */
export interface PageCounts {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: Readonly<Record<string, number>>;
  /** How many of the applied are wanted looks. */
  readonly looks: number;
  readonly violations: number;
}

/** Counts what becomes of the records of one page. */
export class Tally {
  applied = 0;
  superseded = 0;
  looks = 0;
  violations = 0;
  readonly #ignored = new Map<string, number>();

  ignore(reason: string, records: number): void {
    this.#ignored.set(reason, (this.#ignored.get(reason) ?? 0) + records);
  }

  decision(decision: Decision): void {
    switch (decision.outcome) {
      case 'apply':
        this.applied++;
        break;
      case 'look':
        this.applied++;
        this.looks++;
        break;
      case 'refuse':
        this.violations++;
        this.ignore(decision.reason, 1);
        break;
      case 'ignore':
        if (decision.reason === 'superseded') this.superseded++;
        else this.ignore(decision.reason, 1);
        break;
    }
  }

  counts(records: number): PageCounts {
    const { applied, superseded, looks, violations } = this;
    return { records, applied, superseded, ignored: Object.fromEntries(this.#ignored), looks, violations };
  }
}
