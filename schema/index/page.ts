import type { RuleIndex } from '../../namespace/authority.ts';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Account } from './accounts.ts';

/** What every page of work is applied under. */
export interface PageScope {
  readonly account: Account;
  readonly rules: RuleIndex;
  /** The revision that `rules` were compiled from. A page under a revision that is no longer live fails with `ISTHMUS_RULES_MOVED`. */
  readonly ruleRevision: number;
  /** The horizon, and whether triggers are trusted, are the account's own, read in the transaction. */
  readonly policy: Omit<ClockPolicy, 'horizon' | 'triggersTrusted'>;
}
