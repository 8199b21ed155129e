import type { Key } from '../../../namespace/key.ts';
import type { Position } from '../dump/record-json.ts';
import type { Broken, Note } from '../walk/broken.ts';

/** What is wrong with the feed itself, beside what cannot be read. */
export interface Disorder extends Position {
  readonly kind: 'disorder';
  readonly what: string;
}

/** A chunk that no manifest names, so that no reader comes by. */
export interface Unreached {
  readonly kind: 'unreached';
  readonly path: string;
}

/** A key of which the index does not say what the feed's last word on it says. */
export interface Difference extends Position {
  readonly kind: 'difference';
  readonly key: Key;
  readonly what: string;
}

/** What cannot be read, or is not reached, and an operator has left out: known, and a reconcile was asked to heal it. */
export interface Skipped extends Omit<Broken, 'kind'> {
  readonly kind: 'skipped';
}

/** What is wrong. */
export type Finding = Broken | Disorder | Unreached | Difference;

/** What is told of a feed. */
export type Told = Finding | Skipped | Note;
