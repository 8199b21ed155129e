import { agrees } from './attributes.ts';
import type { BlobEvent } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy, IgnoreReason, LookReason } from './decision.ts';
import type { Entry } from './entry.ts';
import { judgeIncarnation } from './liveness.ts';
import { compareClocks, compareEpochs } from './order.ts';
import { isSameRequest } from './trust.ts';

/** What becomes of an event: `apply` takes its state, `adopt` its clock alone. */
export type Verdict = 'apply' | 'adopt' | IgnoreReason | LookReason;

/** One rule of the clock. Undefined: it has nothing to say of this event, the next one is asked. */
export type EventRule = (
  event: BlobEvent,
  entry: Entry | undefined,
  container: ContainerState,
  policy: ClockPolicy,
) => Verdict | undefined;

/** Rule 3: an event of an incarnation that is gone says nothing of the present one. */
export const deadIncarnation: EventRule = (event, _entry, container, policy) =>
  judgeIncarnation(event.epoch, event.time, false, container, policy.margin) === 'dead' ? 'dead-epoch' : undefined;

/** Rule 5: what was before the look is in what it found. Asked before the sequencers: a look is as sure as they are. */
export const coveredByLook: EventRule = (event, entry, _container, policy) =>
  entry?.look !== undefined && event.time < entry.look - policy.margin ? 'covered-by-look' : undefined;

/** Rule 6: an event without a sequencer cannot be ordered. */
export const withoutClock: EventRule = (event) => (event.sequencer === undefined ? 'no-clock' : undefined);

/** Rule 6: one sequencer with two states is a contradiction, unless a look has since changed the entry's. */
export const sameClockOtherState: EventRule = (event, entry) => {
  if (entry === undefined || entry.look !== undefined || compareClocks(event, entry) !== 0) return undefined;
  const known = entry.attributes?.etag;
  const told = event.effect === 'delete' ? undefined : event.attributes?.etag;
  const contradicts = event.effect === 'touch' ? told !== undefined && told !== known : told !== known;
  return contradicts ? 'same-clock-other-etag' : undefined;
};

/**
 * Rule 6: sequencer and time disagree, as after a failover. Where the epoch decides, time is not asked. What is
 * not newer but near a look disagrees with it already: the sequencer that a looked-at entry keeps is older than
 * the look. Only an event that tells the very state is let pass.
 */
export const clockDisagrees: EventRule = (event, entry, _container, policy) => {
  if (entry?.sequencer === undefined || compareEpochs(event.epoch, entry.epoch) !== 0) return undefined;
  const order = compareClocks(event, entry);
  if (order > 0) return event.time < entry.seen - policy.margin ? 'clock-disagrees' : undefined;
  const nearLook = entry.look !== undefined && !(order === 0 && tellsState(event, entry));
  return nearLook || event.time > entry.seen + policy.margin ? 'clock-disagrees' : undefined;
};

/** Rule 1: an equal or a lower clock changes nothing. */
export const superseded: EventRule = (event, entry) =>
  entry !== undefined && compareClocks(event, entry) <= 0 ? 'superseded' : undefined;

/** Rule 6: while a look is due nothing is applied; wanting it once more voids the one that is on its way. */
export const lookAlreadyDue: EventRule = (_event, entry) => (entry?.lookDue ? 'look-due' : undefined);

/**
 * Where triggers are distrusted, the feed's record of the very change that a trigger made the entry of: it takes
 * the trigger's place, so that nothing needs to be looked at for it.
 */
export const replacesTrigger: EventRule = (event, entry, _container, policy) => {
  if (policy.triggersTrusted !== false || entry?.provenance.source !== 'trigger') return undefined;
  const sameState = event.effect === 'delete' ? !entry.live : tellsState(event, entry);
  return sameState && isSameRequest(event.eventId, entry.provenance.eventId) ? 'apply' : undefined;
};

/**
 * Rule 5: an event so close to the look that tells the very state that the look has found. Its sequencer is
 * adopted, but the look stays: under one ETag a blob may have been deleted and undeleted, or moved to another
 * tier and back, and the events of that may still be on their way. Where triggers are distrusted, an adopted
 * sequencer could not be told from a trigger's, so the blob is looked at once more.
 */
export const sameStateAsLook: EventRule = (event, entry, _container, policy) =>
  policy.triggersTrusted !== false &&
  entry?.look !== undefined &&
  event.time <= entry.look + policy.margin &&
  tellsState(event, entry)
    ? 'adopt'
    : undefined;

/** Rule 5: too close to the look to tell which was first. */
export const nearLook: EventRule = (event, entry, _container, policy) =>
  entry?.look !== undefined && event.time <= entry.look + policy.margin ? 'near-look' : undefined;

/** Rule 3: too close to the container's own 404 to tell which was first. */
export const nearContainerGone: EventRule = (event, _entry, container, policy) =>
  judgeIncarnation(event.epoch, event.time, false, container, policy.margin) === 'unsure'
    ? 'near-container-gone'
    : undefined;

/** An event that does not name all values is applied by looking. */
export const unvalued: EventRule = (event) =>
  event.effect === 'touch' || (event.effect === 'put' && event.attributes === undefined) ? 'unvalued' : undefined;

/**
 * Rule 6: what would be applied but is that late may have been undone since by changes that no source told, or
 * whose tombstone is purged; an inventory has seen the blob since.
 */
export const beforeHorizon: EventRule = (event, _entry, _container, policy) =>
  policy.horizon !== undefined && event.time < policy.horizon + policy.margin ? 'before-horizon' : undefined;

/** The rules in the order in which they are asked; the first that speaks decides, and where none does the event is applied. */
export const EVENT_RULES: readonly EventRule[] = [
  deadIncarnation,
  coveredByLook,
  withoutClock,
  sameClockOtherState,
  clockDisagrees,
  superseded,
  lookAlreadyDue,
  replacesTrigger,
  sameStateAsLook,
  nearLook,
  nearContainerGone,
  unvalued,
  beforeHorizon,
];

/** Whether the event names all values, and they are the entry's. */
function tellsState(event: BlobEvent, entry: Entry): boolean {
  const told = event.attributes;
  const known = entry.attributes;
  return event.effect === 'put' && told !== undefined && known !== undefined && agrees(told, known);
}
