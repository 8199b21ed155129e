import type { RuleIndex } from '../namespace/authority.ts';
import type { SubtreeChange } from '../schema/events/subtree.ts';
import { applyEvents, type PageCounts } from '../schema/index/apply-events.ts';
import type { Tx } from '../schema/index/database.ts';
import { recordJournal } from '../schema/index/journal.ts';
import type { PageScope } from '../schema/index/page.ts';
import { noteSubtrees } from '../schema/index/subtrees.ts';
import type { TriggerBatch } from './azure/trigger-batch.ts';

/**
 * Applies what messages say, and writes down what was not routine about them, in the caller's transaction. Whoever
 * takes triggers, from a queue, from Event Grid's dead letters or again, goes this way.
 */
export async function applyBatch(tx: Tx, scope: PageScope, batch: TriggerBatch): Promise<PageCounts> {
  // First, so that the page reads of them: what is told of a name below is judged by when its directory went.
  const subtrees = batch.subtrees.filter((change) => isFederated(change, scope.rules));
  const noted = await noteSubtrees(tx, scope.account.id, subtrees);
  const counts = await applyEvents(tx, { ...scope, events: batch.events });
  if (batch.notes.length > 0) await recordJournal(tx, scope.account.id, batch.notes);
  const noRule = (counts.ignored['no-rule'] ?? 0) + batch.subtrees.length - subtrees.length;
  return {
    ...counts,
    records: counts.records + batch.subtrees.length,
    applied: counts.applied + noted,
    superseded: counts.superseded + subtrees.length - noted,
    ignored: { ...counts.ignored, ...batch.ignored, ...(noRule > 0 && { 'no-rule': noRule }) },
  };
}

/** A directory that went has names in the index, or one that it became gets some. */
function isFederated({ gone, made }: SubtreeChange, rules: RuleIndex): boolean {
  return rules.touches(gone) || (made !== undefined && rules.touches(made));
}
