import type { BlobEvent } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import { afterEvent } from './next-entry.ts';
import { compareClocks, compareEpochs } from './order.ts';
import { believable } from './trust.ts';

const SUPERSEDED: Decision = { outcome: 'ignore', reason: 'superseded' };
const DEAD_EPOCH: Decision = { outcome: 'ignore', reason: 'dead-epoch' };
const NOTHING_NEW: Decision = { outcome: 'ignore', reason: 'nothing-new' };

/**
 * What a record of a feed kept in a folder means for its entry. Nobody can look at a blob there: epoch and
 * sequencer alone order, the record's values are taken, and a touch that tells none leaves the entry as it is.
 */
export function decideRecord(
  entry: Entry | undefined,
  event: BlobEvent,
  container: ContainerState,
  policy: ClockPolicy,
  ruleRevision: number,
): Decision {
  if (compareEpochs(event.epoch, container.newestEpoch) < 0) return DEAD_EPOCH;
  const known = entry && believable(entry, policy);
  if (known !== undefined && compareClocks(event, known) <= 0) return SUPERSEDED;
  if (event.effect !== 'delete' && event.attributes === undefined) return NOTHING_NEW;
  return { outcome: 'apply', next: afterEvent(entry, event, ruleRevision) };
}
