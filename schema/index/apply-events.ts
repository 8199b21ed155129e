import type { BlobEvent } from '../../namespace/change.ts';
import type { Tx } from './database.ts';
import type { PageScope } from './page.ts';
import { unbuilt } from './unbuilt.ts';

/**
 * What became of a page, exactly: `applied + superseded + Σ ignored = records`. A record is applied where it
 * was newer than everything before it for its key (a wanted look counts as applied), superseded where its
 * clock is equal or lower. Violations are in `ignored` as `vast-has-authority`.
 */
export interface PageCounts {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: Readonly<Record<string, number>>;
  /** How many of the applied are wanted looks. */
  readonly looks: number;
  readonly violations: number;
}

export interface EventPage extends PageScope {
  readonly events: readonly BlobEvent[];
}

/** Applies a page of events: entries, stub marks, wanted looks, epochs and violations commit with the caller's transaction or not at all. */
export async function applyEvents(_tx: Tx, _page: EventPage): Promise<PageCounts> {
  return unbuilt('applyEvents');
}
