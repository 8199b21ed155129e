import { hash } from 'node:crypto';

/** A name as the index stores it: see the first migration for why it is cut. */
export interface StoredName {
  readonly head: string;
  readonly tail: string;
  /** Hex; empty for an empty tail. */
  readonly tailHash: string;
}

/** Code points before the cut: at most 2,048 bytes, which a B-tree row holds beside the rest of the key. */
const HEAD_POINTS = 512;

/** Cuts a name. `head + tail` is the name, and ordering by head, then by tail is UTF-8 order of the whole. */
export function storedName(name: string): StoredName {
  const cut = cutOf(name);
  if (cut >= name.length) return { head: name, tail: '', tailHash: '' };
  const tail = name.slice(cut);
  return { head: name.slice(0, cut), tail, tailHash: hash('sha256', tail, 'hex') };
}

/** Where the cut falls, in UTF-16 units. */
function cutOf(name: string): number {
  // So few units are no more code points.
  if (name.length <= HEAD_POINTS) return name.length;
  let at = 0;
  for (let points = 0; points < HEAD_POINTS && at < name.length; points++) {
    at += (name.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return at;
}
