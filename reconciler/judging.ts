import type { Logger } from 'pino';
import type { RuleIndex } from '../namespace/authority.ts';
import { hasCode } from '../schema/errors.ts';
import type { Federation } from '../schema/federation/federation.ts';
import type { Account } from '../schema/index/accounts.ts';
import type { Index } from '../schema/index/database.ts';
import type { BlobSource } from '../schema/ports/blob-source.ts';
import type { Clock } from '../schema/ports/clock.ts';

/** What judging needs of the world. */
export interface Judging {
  readonly federation: Pick<Federation, 'sources'>;
  readonly account: Account;
  readonly index: Index;
  readonly blobs: BlobSource;
  /** The live rules, which may be a second old; `rulesAreStale` has them read anew. */
  rules(): Promise<{ readonly index: RuleIndex; readonly revision: number }>;
  rulesAreStale(): void;
  readonly clock: Clock;
  readonly log: Logger;
}

const ATTEMPTS = 5;

/** Does work under the live rules, again where they moved meanwhile. */
export async function underLiveRules<T>(
  judging: Judging,
  work: (rules: { readonly index: RuleIndex; readonly revision: number }) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(await judging.rules());
    } catch (error) {
      if (attempt >= ATTEMPTS || !hasCode(error, 'ISTHMUS_RULES_MOVED')) throw error;
      judging.rulesAreStale();
    }
  }
}
