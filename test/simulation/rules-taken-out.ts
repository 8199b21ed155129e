import type { Change } from '../../namespace/change.ts';
import { DEFAULT_MARGIN, type Decision } from '../../namespace/decision.ts';
import type { Entry } from '../../namespace/entry.ts';
import {
  beforeHorizon,
  clockDisagrees,
  coveredByLook,
  deadIncarnation,
  EVENT_RULES,
  type EventRule,
  lookAlreadyDue,
  nearContainerGone,
  nearLook,
  replacesTrigger,
  sameClockOtherState,
  sameStateAsLook,
  superseded,
  unvalued,
  withoutClock,
} from '../../namespace/event-rules.ts';
import { afterSubtree } from '../../namespace/next-entry.ts';
import type { Tampering } from './tampering.ts';

function without(...rules: readonly EventRule[]): readonly EventRule[] {
  return EVENT_RULES.filter((rule) => !rules.includes(rule));
}

/** A rule of the clock taken out alone, or replaced by the simpler one that it replaced. Each must lose the truth. */
export const RULES_TAKEN_OUT: readonly Tampering[] = [
  { name: '1: what has a lower sequencer is applied all the same', eventRules: without(superseded) },
  {
    name: '1: epochs order nothing',
    world: 'feed alone, sequencers start again in each incarnation',
    decision: forgetEpoch,
  },
  { name: '2: a delete leaves no tombstone', forgets: (entry) => !entry.live && !entry.lookDue },
  { name: '3: the newest epoch kills nothing', container: (state) => ({ ...state, newestEpoch: undefined }) },
  {
    name: "3: a container's own 404 kills nothing",
    world: 'feed alone, sequencers start again in each incarnation',
    container: (state) => ({ ...state, goneAt: undefined }),
  },
  {
    name: "3: a container's own 404 kills up to its very time, without looking",
    world: 'full feed and triggers, no inventory',
    container: (state) => ({ ...state, goneAt: state.goneAt && state.goneAt + DEFAULT_MARGIN }),
    eventRules: without(nearContainerGone),
    decision: believeNearGone,
    trustsNearGone: true,
  },
  {
    name: '3: an epoch is guessed for a trigger and stored',
    event: (event, container) => ({ ...event, epoch: event.epoch ?? container.newestEpoch }),
  },
  { name: '4: a look commits though its entry has moved', unfencedLooks: true },
  {
    name: '4: a 404 leaves no tombstone where there was no entry',
    world: 'triggers without sequencers at times',
    forgets: neverKnown,
  },
  { name: '4: a look is not kept as one', decision: forgetLook },
  { name: '4: a look that finds the ETag of an event changes attributes alone', decision: keepEventMade },
  { name: '5: what is earlier than a look is applied', eventRules: without(coveredByLook, nearLook, sameStateAsLook) },
  { name: '5: what is close to a look is applied', eventRules: without(nearLook) },
  {
    name: '5: an event that tells what a look has found clears the look',
    world: 'full feed and triggers, no inventory, ETags come back',
    decision: adoptAndClear,
  },
  { name: '6: an event that names no values is applied', eventRules: without(unvalued) },
  {
    name: '6: an event without a sequencer is applied',
    world: 'triggers without sequencers at times',
    eventRules: without(withoutClock),
  },
  {
    name: '6: sequencer and time may disagree',
    world: 'sequencers run backwards once, no inventory',
    eventRules: without(clockDisagrees),
  },
  {
    name: '6: equal sequencers may tell different states',
    world: 'triggers name wrong ETags at times, no inventory',
    eventRules: without(sameClockOtherState),
  },
  {
    name: '6: events are applied while a look is due',
    world: 'triggers only, none lost, no inventory',
    eventRules: without(lookAlreadyDue),
  },
  { name: '6: there is no horizon', eventRules: without(beforeHorizon) },
  {
    name: '7: what a listing lacks is deleted without a look',
    world: 'triggers only, ETags come back',
    absenceDeletes: true,
  },
  { name: '7: a listed row that differs is applied without a look', decision: believeListings },
  { name: '8: clocks are taken to be exact', policy: (policy) => ({ ...policy, margin: 0 }) },
  {
    name: 'triggers are distrusted, but the clocks that they set rule on',
    world: 'sequencers of triggers are random, no inventory',
    keepsTriggerClocks: true,
  },
  {
    name: 'triggers are distrusted, but the feed is not read again',
    world: 'sequencers of triggers are random, no inventory',
    noRereading: true,
  },
];

/** Parts of what a directory's end means, taken out alone. Each must lose the truth. */
export const DIRECTORY_RULES_TAKEN_OUT: readonly Tampering[] = [
  {
    name: 'a directory that went is forgotten once it is worked off',
    world: 'directories, triggers late and doubled, none lost, no inventory',
    forgetsDirectories: true,
  },
  {
    name: 'the names of a directory that went are not listed',
    world: 'directories, triggers late and doubled, none lost, no inventory',
    listsNoDirectories: true,
  },
  {
    name: 'what is below a directory that went is gone, however new it is',
    world: 'directories, triggers late and doubled, none lost, no inventory',
    subtree: (_decision, entry, gone) => ({ outcome: 'apply', next: afterSubtree(entry, gone, 1) }),
  },
  {
    name: 'a directory that went leaves an end without a look',
    world: 'directories, triggers late and doubled, none lost, no inventory',
    forgetsDirectories: true,
    subtree: (decision) =>
      decision.outcome === 'apply' ? { outcome: 'apply', next: { ...decision.next, look: undefined } } : decision,
  },
];

/**
 * Parts of rules without which the truth is still found here, but later or with more looks, or only while no
 * clock errs by more than M.
 */
export const ECONOMIES: readonly Tampering[] = [
  {
    name: "3: what is within M of the container's own 404 is believed until the next",
    eventRules: without(nearContainerGone),
    decision: believeNearGone,
    trustsNearGone: true,
  },
  { name: '3: events of dead incarnations are applied, and are dead entries', eventRules: without(deadIncarnation) },
  { name: '4: a look forgets the sequencer', decision: forgetSequencer },
  { name: '5: what is earlier than a look is looked at again', eventRules: without(coveredByLook) },
  { name: '5: what tells the state that a look has found is looked at again', eventRules: without(sameStateAsLook) },
  { name: "a distrusted trigger's own record is looked at", eventRules: without(replacesTrigger) },
];

function forgetEpoch(decision: Decision): Decision {
  if (decision.outcome !== 'apply') return decision;
  return { outcome: 'apply', next: { ...decision.next, epoch: undefined } };
}

function believeNearGone(decision: Decision, _entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'look' || decision.outcome !== 'look') return decision;
  return { outcome: 'apply', next: { ...decision.next, lookDue: false } };
}

function neverKnown(entry: Entry): boolean {
  return !entry.live && !entry.lookDue && entry.sequencer === undefined;
}

function forgetSequencer(decision: Decision, _entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'look' || decision.outcome !== 'apply') return decision;
  return { outcome: 'apply', next: { ...decision.next, sequencer: undefined, epoch: undefined } };
}

function forgetLook(decision: Decision, _entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'look' || decision.outcome !== 'apply') return decision;
  return { outcome: 'apply', next: { ...decision.next, look: undefined } };
}

function keepEventMade(decision: Decision, entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'look' || decision.outcome !== 'apply' || entry?.look !== undefined) return decision;
  if (entry?.attributes === undefined || entry.attributes.etag !== decision.next.attributes?.etag) return decision;
  return { outcome: 'apply', next: { ...decision.next, look: undefined, seen: entry.seen } };
}

function adoptAndClear(decision: Decision, entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'event' || decision.outcome !== 'apply' || entry?.look === undefined) return decision;
  return { outcome: 'apply', next: { ...decision.next, look: undefined, seen: change.time } };
}

function believeListings(decision: Decision, entry: Entry | undefined, change: Change): Decision {
  if (change.kind !== 'listed' || decision.outcome !== 'look') return decision;
  const next = {
    ...decision.next,
    live: true,
    attributes: change.found,
    lookDue: false,
    seen: entry?.seen ?? change.to,
  };
  return { outcome: 'apply', next };
}
