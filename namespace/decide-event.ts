import type { BlobEvent } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import { EVENT_RULES, type EventRule, type Verdict } from './event-rules.ts';
import { afterAdoption, afterEvent, afterWish } from './next-entry.ts';
import { believable } from './trust.ts';

const SUPERSEDED: Decision = { outcome: 'ignore', reason: 'superseded' };
const DEAD_EPOCH: Decision = { outcome: 'ignore', reason: 'dead-epoch' };
const COVERED: Decision = { outcome: 'ignore', reason: 'covered-by-look' };

/** What an event means for its entry: the verdict of the first of `rules` that speaks, else it is applied. */
export function decideEvent(
  entry: Entry | undefined,
  event: BlobEvent,
  container: ContainerState,
  policy: ClockPolicy,
  ruleRevision: number,
  rules: readonly EventRule[] = EVENT_RULES,
): Decision {
  const known = entry && believable(entry, policy);
  const verdict = judge(known, event, container, policy, rules);
  switch (verdict) {
    case 'apply':
      return { outcome: 'apply', next: afterEvent(entry, event, ruleRevision) };
    case 'adopt':
      if (entry === undefined) return { outcome: 'apply', next: afterEvent(entry, event, ruleRevision) };
      return { outcome: 'apply', next: afterAdoption(entry, event) };
    case 'superseded':
      return SUPERSEDED;
    case 'dead-epoch':
      return DEAD_EPOCH;
    case 'covered-by-look':
      return COVERED;
    case 'entry-moved':
    case 'nothing-new':
    case 'no-rule':
    case 'other-authority':
    case 'distrusted':
    case 'canary':
      return { outcome: 'ignore', reason: verdict };
    default:
      return { outcome: 'look', reason: verdict, next: afterWish(entry, event, ruleRevision) };
  }
}

function judge(
  entry: Entry | undefined,
  event: BlobEvent,
  container: ContainerState,
  policy: ClockPolicy,
  rules: readonly EventRule[],
): Verdict {
  for (const rule of rules) {
    const verdict = rule(event, entry, container, policy);
    if (verdict !== undefined) return verdict;
  }
  return 'apply';
}
