import type { Tx } from '../schema/index/database.ts';
import { underLiveRules } from '../schema/index/live-rules.ts';
import type { PageScope } from '../schema/index/page.ts';
import { transact } from '../schema/index/transact.ts';
import type { Services } from './services.ts';

/** Runs a page's work in one transaction under the live rules, again with newer ones where they were changed meanwhile. */
export function applyUnderRules<T>(
  services: Pick<Services, 'account' | 'index' | 'rules' | 'rulesAreStale'>,
  work: (tx: Tx, scope: PageScope) => Promise<T>,
): Promise<T> {
  const { account, index } = services;
  const policy = { margin: account.margin, looks: true };
  return underLiveRules(services, ({ index: rules, revision: ruleRevision }) =>
    transact(index, (tx) => work(tx, { account, rules, ruleRevision, policy })),
  );
}
