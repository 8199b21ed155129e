import { compareKeys, type Key } from '../../namespace/key.ts';
import { upperBound } from '../../namespace/prefix.ts';

/** The keys from `from` up to, and without, `to`, in key order; no `to` means no end. */
export interface KeyRange {
  readonly from: Key;
  readonly to: Key | undefined;
}

/** Ranges that neither overlap nor touch, in key order. */
export type KeySet = readonly KeyRange[];

/** Before the first key. */
const START: Key = { container: '', name: '' };
/** No container's name holds it, and no blob name that the index keeps is between a name and the name with it. */
const NEXT = '\u0001';

export const ALL_KEYS: KeySet = [{ from: START, to: undefined }];

/** Every key whose `container/name` starts with this plain prefix; one without a slash is the start of a container's name. */
export function keysWithPrefix(prefix: string): KeyRange {
  const slash = prefix.indexOf('/');
  if (slash < 0) {
    const above = upperBound(prefix);
    const to = above === undefined ? undefined : { container: above, name: '' };
    return { from: { container: prefix, name: '' }, to };
  }
  const container = prefix.slice(0, slash);
  const name = prefix.slice(slash + 1);
  const above = upperBound(name);
  const to = above === undefined ? { container: container + NEXT, name: '' } : { container, name: above };
  return { from: { container, name }, to };
}

/** One key alone. */
export function oneKey(key: Key): KeyRange {
  return { from: key, to: { container: key.container, name: key.name + NEXT } };
}

/** Sorts ranges and joins those that overlap or touch; empty ones vanish. */
export function keySet(ranges: readonly KeyRange[]): KeySet {
  const sorted = ranges.filter((range) => !isEmpty(range)).toSorted((a, b) => compareKeys(a.from, b.from));
  const set: KeyRange[] = [];
  for (const range of sorted) {
    const last = set.at(-1);
    if (last === undefined || (last.to !== undefined && compareKeys(last.to, range.from) < 0)) set.push(range);
    else set[set.length - 1] = { from: last.from, to: later(last.to, range.to) };
  }
  return set;
}

export function intersect(a: KeySet, b: KeySet): KeySet {
  const both: KeyRange[] = [];
  let left = 0;
  let right = 0;
  for (;;) {
    const one = a[left];
    const other = b[right];
    if (one === undefined || other === undefined) return both;
    const from = compareKeys(one.from, other.from) < 0 ? other.from : one.from;
    const to = earlier(one.to, other.to);
    if (!isEmpty({ from, to })) both.push({ from, to });
    if (to === one.to) left++;
    if (to === other.to) right++;
  }
}

/** The keys of `a` that are not in `b`. */
export function without(a: KeySet, b: KeySet): KeySet {
  const rest: KeyRange[] = [];
  let from: Key | undefined = START;
  for (const range of b) {
    if (from !== undefined) rest.push({ from, to: range.from });
    from = range.to;
  }
  if (from !== undefined) rest.push({ from, to: undefined });
  return intersect(a, keySet(rest));
}

export function includes(set: KeySet, key: Key): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = set[middle];
    if (range !== undefined && compareKeys(range.from, key) <= 0) low = middle + 1;
    else high = middle;
  }
  const range = set[low - 1];
  return range !== undefined && (range.to === undefined || compareKeys(key, range.to) < 0);
}

/** A range of names inside one container; no `to` means to its end. */
export interface NameRange {
  readonly from: string;
  readonly to: string | undefined;
}

/** The part of the set that lies in one container. */
export function namesWithin(set: KeySet, container: string): readonly NameRange[] {
  const whole: KeyRange = { from: { container, name: '' }, to: { container: container + NEXT, name: '' } };
  return intersect(set, [whole]).map(({ from, to }) => ({
    from: from.name,
    to: to?.container === container ? to.name : undefined,
  }));
}

function isEmpty(range: KeyRange): boolean {
  return range.to !== undefined && compareKeys(range.from, range.to) >= 0;
}

function earlier(a: Key | undefined, b: Key | undefined): Key | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

function later(a: Key | undefined, b: Key | undefined): Key | undefined {
  if (a === undefined || b === undefined) return undefined;
  return compareKeys(a, b) >= 0 ? a : b;
}
