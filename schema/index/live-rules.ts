import type { RuleIndex } from '../../namespace/authority.ts';
import { hasCode } from '../errors.ts';

/** The compiled rules of one revision. */
export interface LiveRules {
  readonly index: RuleIndex;
  readonly revision: number;
}

/** Where the live rules are had from. They may be a second old; whoever finds that out has them read anew. */
export interface RulesInUse {
  rules(): Promise<LiveRules>;
  rulesAreStale(): void;
}

/** Rules do not move faster than they are read: after so many attempts something else is wrong. */
const ATTEMPTS = 10;

/** Does work under the live rules, again where they moved meanwhile, which the work finds by `ISTHMUS_RULES_MOVED`. */
export async function underLiveRules<T>(use: RulesInUse, work: (rules: LiveRules) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(await use.rules());
    } catch (error) {
      if (attempt >= ATTEMPTS || !hasCode(error, 'ISTHMUS_RULES_MOVED')) throw error;
      use.rulesAreStale();
    }
  }
}
