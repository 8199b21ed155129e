import type { SubtreeGone } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry, Timestamp } from './entry.ts';
import { judgeIncarnation, lifeOf } from './liveness.ts';
import { afterSubtree } from './next-entry.ts';
import type { Rule } from './rule.ts';

const NO_RULE: Decision = { outcome: 'ignore', reason: 'no-rule' };
const CANARY: Decision = { outcome: 'ignore', reason: 'canary' };
const REFUSED: Decision = { outcome: 'refuse', reason: 'vast-has-authority' };
const DEAD_EPOCH: Decision = { outcome: 'ignore', reason: 'dead-epoch' };
const NOTHING_NEW: Decision = { outcome: 'ignore', reason: 'nothing-new' };

/**
 * What the end of a directory means for the entry of a name below it.
 *
 * No sequencer orders a blob against its directory, so time does: a state that an event made plainly before the
 * directory went is taken as a look at that time that found nothing would be, and rule 5 orders what else is told of
 * the blob. Whatever is nearer, newer or a look's is looked at, and so is what waits for a look: the one on its way may
 * have asked before. Where the end is told of so late that an inventory has been since, all of it is looked at (rule 6):
 * the directory may have come back, and what was there agreed. Distrust of triggers changes nothing here, as it is their sequencers that are not believed.
 */
export function decideSubtree(
  entry: Entry | undefined,
  gone: SubtreeGone,
  container: ContainerState,
  rule: Rule | undefined,
  policy: Pick<ClockPolicy, 'margin' | 'horizon'>,
  ruleRevision: number,
): Decision {
  if (rule === undefined) return NO_RULE;
  if (rule.authority === 'isthmus') return CANARY;
  if (rule.authority === 'vast') return REFUSED;
  const word = wordOf(gone, container, policy);
  if (word === 'void') return DEAD_EPOCH;
  if (entry === undefined) return NOTHING_NEW;
  if (!entry.lookDue) {
    if (!entry.live || lifeOf(entry, container, policy.margin) === 'dead') return NOTHING_NEW;
    const plainlyOlder = entry.look === undefined && entry.seen < gone.time - policy.margin;
    if (plainlyOlder && word === 'final') return { outcome: 'apply', next: afterSubtree(entry, gone, ruleRevision) };
  }
  const next: Entry = { ...entry, lookDue: true, revision: entry.revision + 1 };
  return { outcome: 'look', reason: 'directory-gone', next };
}

/**
 * What a directory's end is worth to the names below it, whatever their entries are. `final`: it ends what is plainly
 * older. `doubtful`: it is a reason to look. `void`: it was in an incarnation of the container that is gone.
 */
export function wordOf(
  gone: Pick<SubtreeGone, 'time'>,
  container: ContainerState,
  { margin, horizon }: Pick<ClockPolicy, 'margin' | 'horizon'>,
): 'final' | 'doubtful' | 'void' {
  const life = judgeIncarnation(undefined, gone.time, false, container, margin);
  if (life === 'dead') return 'void';
  const late = horizon !== undefined && gone.time < horizon + margin;
  return life === 'unsure' || late ? 'doubtful' : 'final';
}

/**
 * A directory's end, as what it is to every name below: the end of what its container held there. Events and
 * listings of before are then judged by rule 3, also those that come once the directory is worked off.
 */
export function underGoneDirectory<State extends ContainerState>(
  container: State,
  goneAt: Timestamp | undefined,
): State {
  if (goneAt === undefined || (container.goneAt !== undefined && container.goneAt >= goneAt)) return container;
  return { ...container, goneAt };
}

/** The directories that a name lies in, the outermost first: `a` and `a/b` for `a/b/c`. */
export function directoriesOf(name: string): readonly string[] {
  const directories: string[] = [];
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    if (slash > 0) directories.push(name.slice(0, slash));
  }
  return directories;
}
