import type { ListedRow, LookAnswer } from '../../namespace/change.ts';
import type { Tx } from './database.ts';
import type { PageScope } from './page.ts';
import { unbuilt } from './unbuilt.ts';

/** Applies the answers of looks and takes them off the queue. `moved` counts those whose entry moved meanwhile: they stay queued. */
export async function applyLooks(
  _tx: Tx,
  _page: PageScope & { readonly answers: readonly LookAnswer[] },
): Promise<{ readonly applied: number; readonly moved: number }> {
  return unbuilt('applyLooks');
}

export interface ListedCounts {
  /** Entries whose attributes were filled. */
  readonly filled: number;
  /** Entries made from the row itself (strong listings only). */
  readonly applied: number;
  readonly looks: number;
  readonly unchanged: number;
}

/**
 * Applies rows of a listing (invariant 7: never a delete). `strong` is a page of List Blobs, which is as good
 * as a look for a name that has no entry; rows of a report only fill attributes and queue looks.
 */
export async function applyListed(
  _tx: Tx,
  _page: PageScope & { readonly rows: readonly ListedRow[]; readonly strong: boolean },
): Promise<ListedCounts> {
  return unbuilt('applyListed');
}
