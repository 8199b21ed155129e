import type { BlobEvent } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy } from './decision.ts';
import type { Entry } from './entry.ts';
import { compareUtf8, type Key } from './key.ts';
import { judgeIncarnation } from './liveness.ts';
import { compareSequencers, type Sequencer } from './sequencer.ts';

/**
 * The events of one key in a page.
 *
 * Where `winner` and `oldest` are there, one winner can stand for all: every event is a put or a delete with
 * a sequencer, all are of one epoch (or none has one), times rise with sequencers, equal sequencers tell the
 * same, and no two changes share an ETag. Whether it may for a given entry, `meet` says. Where they are not,
 * the events are decided one by one, in arrival order.
 */
export interface KeyGroup extends Key {
  /** In arrival order; at least one. */
  readonly events: readonly BlobEvent[];
  /** The event with the highest sequencer, the first of them to arrive. */
  readonly winner: BlobEvent | undefined;
  /** The event with the lowest sequencer. */
  readonly oldest: BlobEvent | undefined;
  /** How many were newer than all before them in the group: what deciding one by one would have applied. */
  readonly newerOnArrival: number;
}

/** Groups a page's events by key, in key order. */
export function foldPage(events: readonly BlobEvent[]): readonly KeyGroup[] {
  // Nearly every key of a page has one event, so a list is made only where there are more.
  const byContainer = new Map<string, Map<string, BlobEvent | BlobEvent[]>>();
  for (const event of events) {
    let names = byContainer.get(event.container);
    if (names === undefined) {
      names = new Map();
      byContainer.set(event.container, names);
    }
    const known = names.get(event.name);
    if (known === undefined) names.set(event.name, event);
    else if (Array.isArray(known)) known.push(event);
    else names.set(event.name, [known, event]);
  }
  const groups: KeyGroup[] = [];
  for (const container of sorted(byContainer.keys())) {
    const names = byContainer.get(container);
    if (names === undefined) continue;
    for (const name of sorted(names.keys())) {
      const known = names.get(name);
      if (known === undefined) continue;
      groups.push(Array.isArray(known) ? foldGroup(container, name, known) : groupOfOne(known));
    }
  }
  return groups;
}

/**
 * Whether nothing about the group itself asks for more than order: it has a winner, all its events are of a
 * living incarnation and later than the horizon. Only with `policy.looks`: a folder's replay decides one by one.
 */
export function isRoutine(group: KeyGroup, container: ContainerState, policy: ClockPolicy): boolean {
  const { oldest } = group;
  return (
    policy.looks &&
    oldest !== undefined &&
    judgeIncarnation(oldest.epoch, oldest.time, false, container, policy.margin) === 'alive' &&
    (policy.horizon === undefined || oldest.time >= policy.horizon + policy.margin)
  );
}

/** Whether an entry's clock is an event's and nothing else: order alone says what a routine event does to it. */
export function isPlain(entry: Entry): boolean {
  return entry.sequencer !== undefined && entry.look === undefined && !entry.lookDue;
}

/**
 * What a routine group does to a plain entry, or to none. `apply`: its winner is applied, as deciding one by
 * one would end (but for the revision, which moves once). `superseded`: nothing of it is. `odd`: decide one by one.
 */
export function meet(group: KeyGroup, entry: Entry | undefined, margin: number): 'apply' | 'superseded' | 'odd' {
  const { winner, oldest } = group;
  if (winner === undefined || oldest === undefined) return 'odd';
  if (entry === undefined) return 'apply';
  if (winner.sequencer === undefined || oldest.sequencer === undefined || entry.sequencer === undefined) return 'odd';
  if (winner.epoch !== undefined && entry.epoch !== undefined && winner.epoch !== entry.epoch) return 'odd';
  if (oldest.sequencer > entry.sequencer) {
    const sameVersion = winner.effect === 'put' && winner.attributes?.etag === entry.attributes?.etag;
    return oldest.time < entry.seen - margin || sameVersion ? 'odd' : 'apply';
  }
  if (winner.sequencer > entry.sequencer || winner.time > entry.seen + margin) return 'odd';
  for (const event of group.events) {
    if (event.sequencer === entry.sequencer && stateOf(event) !== entry.attributes?.etag) return 'odd';
  }
  return 'superseded';
}

function groupOfOne(event: BlobEvent): KeyGroup {
  const { container, name } = event;
  const events = [event];
  if (!isClocked(event)) return oneByOne(container, name, events);
  return { container, name, events, winner: event, oldest: event, newerOnArrival: 1 };
}

function foldGroup(container: string, name: string, events: readonly BlobEvent[]): KeyGroup {
  if (!events.every(isClocked)) return oneByOne(container, name, events);
  const [first] = events;
  if (first === undefined) return oneByOne(container, name, events);

  let winner = first;
  let newerOnArrival = 1;
  for (const event of events) {
    if (event.sequencer <= winner.sequencer) continue;
    winner = event;
    newerOnArrival++;
  }
  const bySequencer = events.toSorted((a, b) => compareSequencers(a.sequencer, b.sequencer));
  if (!isEven(bySequencer)) return oneByOne(container, name, events);
  return { container, name, events, winner, oldest: bySequencer[0], newerOnArrival };
}

/** Whether one winner can stand for these events, which are in the order of their sequencers. */
function isEven(events: readonly Clocked[]): boolean {
  const etags = new Set<string>();
  let before: Clocked | undefined;
  for (const event of events) {
    const etag = stateOf(event);
    if (before !== undefined) {
      if (event.epoch !== before.epoch || event.time < before.time) return false;
      if (event.sequencer === before.sequencer) {
        const same = event.time === before.time && event.effect === before.effect && etag === stateOf(before);
        if (!same) return false;
        continue;
      }
    }
    if (etag !== undefined && etags.has(etag)) return false;
    if (etag !== undefined) etags.add(etag);
    before = event;
  }
  return true;
}

function oneByOne(container: string, name: string, events: readonly BlobEvent[]): KeyGroup {
  return { container, name, events, winner: undefined, oldest: undefined, newerOnArrival: 0 };
}

type Clocked = BlobEvent & { readonly sequencer: Sequencer };

/** Whether the event can be ordered by its sequencer and names all values of what it leaves behind. */
function isClocked(event: BlobEvent): event is Clocked {
  if (event.sequencer === undefined) return false;
  return event.effect === 'put' ? event.attributes !== undefined : event.effect === 'delete';
}

/** The ETag that the event leaves behind, none for a delete: whatever a delete names is its own. */
function stateOf(event: BlobEvent): string | undefined {
  return event.effect === 'delete' ? undefined : event.attributes?.etag;
}

/** In UTF-8 order. Where no name reaches the surrogates, the order of UTF-16 units is the same, and native: twice as fast. */
function sorted(names: Iterable<string>): string[] {
  const list = [...names];
  return list.some((name) => ABOVE_PLAIN_ORDER.test(name)) ? list.sort(compareUtf8) : list.sort();
}

const ABOVE_PLAIN_ORDER = /[\ud800-\uffff]/;
