import type { Change } from './change.ts';
import type { ContainerState } from './container.ts';
import { decideEvent } from './decide-event.ts';
import { decideListed } from './decide-listed.ts';
import { decideLook } from './decide-look.ts';
import { decideRecord } from './decide-record.ts';
import type { ClockPolicy, Decision } from './decision.ts';
import type { Entry } from './entry.ts';
import type { Rule } from './rule.ts';
import { isDistrusted } from './trust.ts';

const NO_RULE: Decision = { outcome: 'ignore', reason: 'no-rule' };
const OTHER_AUTHORITY: Decision = { outcome: 'ignore', reason: 'other-authority' };
const CANARY: Decision = { outcome: 'ignore', reason: 'canary' };
const DISTRUSTED: Decision = { outcome: 'ignore', reason: 'distrusted' };
const REFUSED: Decision = { outcome: 'refuse', reason: 'vast-has-authority' };

/**
 * What a change of the Blob side means for its entry: the only place where that is settled. Total and pure;
 * whoever applies pages faster must agree with it.
 *
 * `container` must already know the epoch that the change carries. `rule` is the longest that matches the key.
 */
export function decide(
  entry: Entry | undefined,
  change: Change,
  container: ContainerState,
  rule: Rule | undefined,
  policy: ClockPolicy,
  ruleRevision: number,
): Decision {
  if (change.kind === 'event' && isDistrusted(change, policy)) return DISTRUSTED;
  if (rule === undefined) return NO_RULE;
  if (rule.authority === 'isthmus') return CANARY;
  if (rule.authority === 'vast') return change.kind === 'event' ? REFUSED : OTHER_AUTHORITY;
  switch (change.kind) {
    case 'event':
      return policy.looks
        ? decideEvent(entry, change, container, policy, ruleRevision)
        : decideRecord(entry, change, container, policy, ruleRevision);
    case 'look':
      return decideLook(entry, change, container, policy, ruleRevision);
    case 'listed':
      return decideListed(entry, change, container, policy, ruleRevision);
  }
}
