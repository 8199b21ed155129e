import { hasCode } from '../schema/errors.ts';
import type { Tx } from '../schema/index/database.ts';
import type { PageScope } from '../schema/index/page.ts';
import { transact } from '../schema/index/transact.ts';
import type { Services } from './services.ts';

/** Runs a page's work in one transaction under the live rules, again with newer ones where they were changed meanwhile. */
export async function applyUnderRules<T>(
  services: Pick<Services, 'account' | 'index' | 'rules' | 'rulesAreStale'>,
  work: (tx: Tx, scope: PageScope) => Promise<T>,
): Promise<T> {
  for (;;) {
    const { index: rules, revision: ruleRevision } = await services.rules();
    const scope = {
      account: services.account,
      rules,
      ruleRevision,
      policy: { margin: services.account.margin, looks: true },
    };
    try {
      return await transact(services.index, (tx) => work(tx, scope));
    } catch (error) {
      if (!hasCode(error, 'ISTHMUS_RULES_MOVED')) throw error;
      services.rulesAreStale();
    }
  }
}
