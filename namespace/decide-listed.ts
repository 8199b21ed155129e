import { agrees, mergeAttributes, sameAttributes } from './attributes.ts';
import type { ListedRow } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import { judgeIncarnation, lifeOf } from './liveness.ts';
import { afterWish, withAttributes } from './next-entry.ts';

const DEAD_EPOCH: Decision = { outcome: 'ignore', reason: 'dead-epoch' };
const SUPERSEDED: Decision = { outcome: 'ignore', reason: 'superseded' };
const NOTHING_NEW: Decision = { outcome: 'ignore', reason: 'nothing-new' };

/**
 * What a listed row means for its entry (rule 7): the same version fills what events do not carry, every
 * other difference is a look. A row that was read before the entry got its state, or in an incarnation that
 * is gone, tells nothing.
 */
export function decideListed(
  entry: Entry | undefined,
  row: ListedRow,
  container: ContainerState,
  policy: ClockPolicy,
  ruleRevision: number,
): Decision {
  if (judgeIncarnation(undefined, row.to, true, container, policy.margin) === 'dead') return DEAD_EPOCH;
  if (entry === undefined) return wish(entry, row, ruleRevision);
  if (entry.seen > row.to + policy.margin) return SUPERSEDED;

  const known = entry.attributes;
  const live = entry.live && lifeOf(entry, container, policy.margin) !== 'dead';
  if (!live || known === undefined || !agrees(row.found, known)) return wish(entry, row, ruleRevision);
  if (entry.lookDue) return NOTHING_NEW;
  const filled = mergeAttributes(row.found, known);
  if (sameAttributes(filled, known)) return NOTHING_NEW;
  return { outcome: 'apply', next: withAttributes(entry, filled, row, ruleRevision) };
}

function wish(entry: Entry | undefined, row: ListedRow, ruleRevision: number): Decision {
  return { outcome: 'look', reason: 'listed-differs', next: afterWish(entry, row, ruleRevision) };
}
