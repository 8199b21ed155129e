import type { Timestamp } from '../../namespace/entry.ts';
import type { Index } from './database.ts';
import { unbuilt } from './unbuilt.ts';

export interface PurgeBatch {
  readonly purged: number;
  /** Nothing older is left. */
  readonly done: boolean;
}

/**
 * Removes a batch of tombstones that were last written before this time, whose stub is gone and that no look waits for.
 * The horizon rises in the same transaction, so that a create older than a purged tombstone is looked at (invariant 2).
 */
export async function purgeTombstones(
  _index: Index,
  _accountId: number,
  _before: Timestamp,
  _limit: number,
): Promise<PurgeBatch> {
  return unbuilt('purgeTombstones');
}

/** Removes a batch of journal rows and violations noted before this time. */
export async function purgeJournal(
  _index: Index,
  _accountId: number,
  _before: Timestamp,
  _limit: number,
): Promise<PurgeBatch> {
  return unbuilt('purgeJournal');
}

/** Removes a batch of runs (with their findings) and hydrations that ended before this time; the newest complete run stays. */
export async function purgeRuns(
  _index: Index,
  _accountId: number,
  _before: Timestamp,
  _limit: number,
): Promise<PurgeBatch> {
  return unbuilt('purgeRuns');
}
