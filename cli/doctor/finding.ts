/**
 * What came of a check. `good`: as it must be. `warning`: it works, and will hurt. `wrong`: the federation cannot do
 * its work so. `unknown`: nobody here may read it, or there is nothing to judge yet; never a failure.
 */
export type Outcome = 'good' | 'warning' | 'wrong' | 'unknown';

/** One line of `isthmus doctor`. */
export interface Finding {
  /** Stable, `group.what`. */
  readonly check: string;
  readonly outcome: Outcome;
  /** What was found, of which name. */
  readonly says: string;
  /** The command or the portal's setting that mends it; where it is not known, how to find out. */
  readonly mend?: string | undefined;
}

export const good = (check: string, says: string): Finding => ({ check, outcome: 'good', says });
export const warning = (check: string, says: string, mend: string): Finding => ({
  check,
  outcome: 'warning',
  says,
  mend,
});
export const wrong = (check: string, says: string, mend: string): Finding => ({ check, outcome: 'wrong', says, mend });
export const unknown = (check: string, because: string, mend?: string): Finding => ({
  check,
  outcome: 'unknown',
  says: `not known, because ${because}`,
  mend,
});
