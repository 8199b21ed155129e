import { randomUUID } from 'node:crypto';
import { compileRules } from '../../../namespace/authority.ts';
import type { BlobEvent } from '../../../namespace/change.ts';
import type { Rule } from '../../../namespace/rule.ts';
import { parseSequencer } from '../../../namespace/sequencer.ts';
import { type Account, ensureAccount } from '../../../schema/index/accounts.ts';
import { applyEvents, type PageCounts } from '../../../schema/index/apply-events.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import type { Index } from '../../../schema/index/database.ts';
import type { PageScope } from '../../../schema/index/page.ts';
import { transact } from '../../../schema/index/transact.ts';

export const T0 = 1_700_000_000_000;
const EVERYTHING: readonly Rule[] = [{ prefix: '', authority: 'blob', sink: 'vast' }];

/** A fresh account under these rules, and what its pages are applied under. */
export async function scopeOf(index: Index, rules: readonly Rule[] = EVERYTHING): Promise<PageScope> {
  const account: Account = await ensureAccount(index, randomUUID());
  const live = await publishRules(index, account.id, rules, 'test');
  const policy = { margin: 20_000, looks: true };
  return { account, rules: compileRules(live), ruleRevision: live.revision, policy };
}

/** A put whose time goes with its order: one second a step. */
export function put(name: string, order: number, more: Partial<BlobEvent> = {}): BlobEvent {
  return {
    kind: 'event',
    source: 'feed',
    effect: 'put',
    container: 'lake',
    name,
    attributes: { etag: `0x${order}`, length: order },
    sequencer: parseSequencer(order.toString(16)),
    epoch: undefined,
    time: T0 + order * 1_000,
    eventId: `event ${order}`,
    api: 'PutBlob',
    ...more,
  };
}

export function del(name: string, order: number, more: Partial<BlobEvent> = {}): BlobEvent {
  return put(name, order, { effect: 'delete', attributes: undefined, api: 'DeleteBlob', ...more });
}

export function apply(index: Index, scope: PageScope, events: readonly BlobEvent[]): Promise<PageCounts> {
  return transact(index, (tx) => applyEvents(tx, { ...scope, events }));
}
