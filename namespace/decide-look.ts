import type { LookAnswer } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import { judgeIncarnation } from './liveness.ts';
import { afterLook } from './next-entry.ts';

const ENTRY_MOVED: Decision = { outcome: 'ignore', reason: 'entry-moved' };

/**
 * What a look means for its entry (rule 4). It counts only where nothing moved the entry since it was read:
 * whatever moved it has wanted another.
 *
 * A look is kept as one even where it finds the version that an event made: the blob may have been deleted and
 * undeleted, or moved to another tier, without a new ETag, and the events of that may still be on their way.
 * A look so close to the container's own 404 that its find may be of the incarnation before is written and
 * wanted again.
 */
export function decideLook(
  entry: Entry | undefined,
  look: LookAnswer,
  container: ContainerState,
  policy: ClockPolicy,
  ruleRevision: number,
): Decision {
  if (look.entryRevision !== (entry?.revision ?? 0)) return ENTRY_MOVED;
  if (look.found === undefined) {
    return { outcome: 'apply', next: afterLook(entry, look, undefined, false, ruleRevision) };
  }

  const life = judgeIncarnation(undefined, look.time, true, container, policy.margin);
  if (life === 'dead') return { outcome: 'apply', next: afterLook(entry, look, undefined, false, ruleRevision) };
  if (life === 'unsure') {
    const next = afterLook(entry, look, look.found, true, ruleRevision);
    return { outcome: 'look', reason: 'near-container-gone', next };
  }

  return { outcome: 'apply', next: afterLook(entry, look, look.found, false, ruleRevision) };
}
