import type { BlobEvent } from './change.ts';
import type { ContainerState } from './container.ts';
import type { ClockPolicy } from './decision.ts';
import type { Entry } from './entry.ts';
import { compareUtf8, type Key } from './key.ts';
import { judgeIncarnation } from './liveness.ts';

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
  const byContainer = new Map<string, Map<string, BlobEvent[]>>();
  for (const event of events) {
    const names = byContainer.get(event.container) ?? new Map<string, BlobEvent[]>();
    if (names.size === 0) byContainer.set(event.container, names);
    const group = names.get(event.name);
    if (group === undefined) names.set(event.name, [event]);
    else group.push(event);
  }
  const groups: KeyGroup[] = [];
  for (const container of sorted(byContainer.keys())) {
    const names = byContainer.get(container);
    if (names === undefined) continue;
    for (const name of sorted(names.keys())) {
      const group = names.get(name);
      if (group !== undefined) groups.push(foldGroup(container, name, group));
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
    if (event.sequencer === entry.sequencer && event.attributes?.etag !== entry.attributes?.etag) return 'odd';
  }
  return 'superseded';
}

function foldGroup(container: string, name: string, events: readonly BlobEvent[]): KeyGroup {
  const first = events[0];
  if (first === undefined || !isClocked(first)) return oneByOne(container, name, events);
  if (events.length === 1) return { container, name, events, winner: first, oldest: first, newerOnArrival: 1 };

  let winner = first;
  let newerOnArrival = 1;
  for (const event of events) {
    if (!isClocked(event) || event.epoch !== first.epoch) return oneByOne(container, name, events);
    if ((event.sequencer ?? '') > (winner.sequencer ?? '')) {
      winner = event;
      newerOnArrival++;
    }
  }
  const bySequencer = events.toSorted((a, b) => compareText(a.sequencer ?? '', b.sequencer ?? ''));
  const etags = new Set<string>();
  let before: BlobEvent | undefined;
  for (const event of bySequencer) {
    const etag = event.attributes?.etag;
    if (before?.sequencer === event.sequencer) {
      const same = before?.time === event.time && before?.effect === event.effect && before?.attributes?.etag === etag;
      if (!same) return oneByOne(container, name, events);
    } else if (etag !== undefined) {
      if (etags.has(etag)) return oneByOne(container, name, events);
      etags.add(etag);
    }
    if (before !== undefined && event.time < before.time) return oneByOne(container, name, events);
    before = event;
  }
  return { container, name, events, winner, oldest: bySequencer[0], newerOnArrival };
}

function oneByOne(container: string, name: string, events: readonly BlobEvent[]): KeyGroup {
  return { container, name, events, winner: undefined, oldest: undefined, newerOnArrival: 0 };
}

/** Whether the event can be ordered by its sequencer and names all values of what it leaves behind. */
function isClocked(event: BlobEvent): boolean {
  if (event.sequencer === undefined) return false;
  return event.effect === 'put' ? event.attributes !== undefined : event.effect === 'delete';
}

/** In UTF-8 order. Where no name reaches the surrogates, the order of UTF-16 units is the same, and native. */
function sorted(names: Iterable<string>): string[] {
  const list = [...names];
  return list.some((name) => ABOVE_PLAIN_ORDER.test(name)) ? list.sort(compareUtf8) : list.sort(compareText);
}

const ABOVE_PLAIN_ORDER = /[\ud800-\uffff]/;

function compareText(a: string, b: string): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
