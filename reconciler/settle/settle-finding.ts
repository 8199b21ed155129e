import type { Source } from '../../namespace/entry.ts';
import { isLive } from '../../namespace/liveness.ts';
import { CAUSES } from '../../schema/drift/cause.ts';
import type { Evidence } from '../../schema/drift/evidence.ts';
import type { EntryNow } from '../../schema/index/entries-now.ts';
import type { Finding, Settled } from '../../schema/index/findings.ts';
import { type CauseEvidence, causeOf } from '../causes/cause-of.ts';
import { type FindingScope, seenVersion } from '../causes/finding-of.ts';
import { incarnationOf } from '../causes/incarnation.ts';

/**
 * What became of a finding by the entry as it is now: its final cause, and whether it is mended.
 *
 * @returns undefined where its look is not answered yet.
 */
export function settledBy(finding: Finding, now: EntryNow | undefined, scope: FindingScope): Settled | undefined {
  const { id, difference, evidence } = finding;
  if (difference === 'sink') return undefined;
  const { entry, container } = now ?? { entry: undefined, container: undefined };
  const { index } = evidence;
  const incarnation = container === undefined ? 'same' : incarnationOf(index, container, scope.margin);
  // A container's own end ends its names, whether a look at them is due or not.
  if (entry?.lookDue === true && incarnation === 'same') return undefined;
  const after = afterLook(finding, now, scope);
  const { from, to, margin, heard, ruledSince } = scope;
  const cause = causeOf({
    ...{ difference, index, after, incarnation, from, to, margin, storable: true },
    judge: evidence.judge,
    heard: evidence.heard ?? heard,
    ruledSince: ruledSince(finding),
  });
  const look: Evidence['look'] = { ...seenVersion({ ...entry?.attributes }), live: after.live, at: entry?.look };
  return { id, cause, state: CAUSES[cause].drift ? 'repaired' : 'explained', evidence: { look } };
}

const EVENTS: ReadonlySet<Source> = new Set(['trigger', 'feed', 'replay']);

/** What the index says now. No entry is a tombstone that was purged. */
function afterLook(
  { evidence }: Finding,
  now: EntryNow | undefined,
  { margin }: FindingScope,
): NonNullable<CauseEvidence['after']> {
  const entry = now?.entry;
  if (now === undefined || entry === undefined) return { live: false, seen: 0, told: false };
  const { index } = evidence;
  const byEvent = EVENTS.has(entry.provenance.source) && entry.seen !== index?.seen;
  // An event whose ETag a look had found leaves its clock alone.
  const adopted = index === undefined && entry.sequencer !== undefined;
  const live = isLive(entry, now.container, margin);
  return { ...(live ? entry.attributes : {}), live, seen: entry.seen, told: byEvent || adopted };
}
