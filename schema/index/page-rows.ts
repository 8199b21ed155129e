import type { BlobEvent } from '../../namespace/change.ts';
import type { Entry } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import { plainArray, textArray } from './arrays.ts';
import { type StoredName, storedName } from './names.ts';
import type { PageColumn } from './page-columns.ts';

/** A key's place in a page. Pages are in key order, and that is the order in which their rows are locked. */
export interface PageKey {
  readonly containerId: number;
  readonly name: StoredName;
}

/**
 * One row of a page.
 *
 * An entry of revision 0 asks: the row is locked (or its place held by a marker) and read. One with no look is a
 * routine event, or several with the newest's values: inserted, or put over a plain entry that is older than the
 * oldest of them. Any other is inserted where there is no entry yet, else read.
 */
export interface PageRow extends PageKey {
  readonly entry: Entry;
  readonly sinkId: number | undefined;
  /** Of several events (the entry's revision says how many changes they are) the oldest. */
  readonly oldest?: Pick<BlobEvent, 'sequencer' | 'time'> | undefined;
}

export function pageKey(containerId: number, name: string): PageKey {
  return { containerId, name: storedName(name) };
}

/** What a row holds whose transaction has only taken its key's place in lock order. */
export function marker(key: Key): Entry {
  return {
    container: key.container,
    name: key.name,
    live: false,
    attributes: undefined,
    sequencer: undefined,
    epoch: undefined,
    seen: 0,
    look: undefined,
    lookDue: false,
    revision: 0,
    provenance: { source: 'look', eventId: '', time: 0, ruleRevision: 0 },
  };
}

/** The key of a row of a page. */
export const KEY_COLUMNS: readonly PageColumn<PageKey>[] = [
  { name: 'container_id', wire: 'integer', pick: (row) => row.containerId },
  { name: 'head', wire: 'text', pick: (row) => row.name.head },
  { name: 'tail_hash', wire: 'bytea', pick: (row) => row.name.tailHash },
];

/** What a key does not need, but a row does. */
export const TAIL_COLUMN: PageColumn<PageKey> = { name: 'tail', wire: 'text', pick: (row) => row.name.tail };

/** The four key columns of a page as array literals: container ids, heads, tails, hashes of tails in hex. */
export interface KeyArrays {
  readonly containers: string;
  readonly heads: string;
  readonly tails: string;
  readonly hashes: string;
}

export function keyArrays(keys: readonly PageKey[]): KeyArrays {
  return {
    containers: plainArray(keys.map((key) => key.containerId)),
    heads: textArray(keys.map((key) => key.name.head)),
    tails: textArray(keys.map((key) => key.name.tail)),
    hashes: textArray(keys.map((key) => key.name.tailHash)),
  };
}
