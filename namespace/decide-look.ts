import { mergeAttributes, sameAttributes } from './attributes.ts';
import type { LookAnswer } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import { judgeIncarnation, lifeOf } from './liveness.ts';
import { afterLook, withAttributes } from './next-entry.ts';

const ENTRY_MOVED: Decision = { outcome: 'ignore', reason: 'entry-moved' };

/**
 * What a look means for its entry (rule 4). It counts only where nothing moved the entry since it was read:
 * whatever moved it has wanted another.
 *
 * Where the look finds the version that an event made, only attributes change and the entry stays one that
 * an event made. A look so close to the container's own 404 that its find may be of the incarnation before is
 * written and wanted again.
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

  const known = entry?.attributes;
  if (entry === undefined || known?.etag !== look.found.etag || !madeByLivingEvent(entry, container, policy)) {
    return { outcome: 'apply', next: afterLook(entry, look, look.found, false, ruleRevision) };
  }
  const attributes = mergeAttributes(known, look.found);
  const next = sameAttributes(known, attributes)
    ? { ...entry, lookDue: false, revision: entry.revision + 1 }
    : { ...withAttributes(entry, attributes, look, ruleRevision), lookDue: false };
  return { outcome: 'apply', next };
}

function madeByLivingEvent(entry: Entry, container: ContainerState, policy: ClockPolicy): boolean {
  return entry.live && entry.look === undefined && lifeOf(entry, container, policy.margin) === 'alive';
}
