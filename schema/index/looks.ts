import type { LookReason } from '../../namespace/decision.ts';
import type { Key } from '../../namespace/key.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

export interface WantedLook {
  readonly key: Key;
  /** The revision to hand back with the answer, 0 for no entry. */
  readonly entryRevision: number;
  readonly reason: LookReason;
  readonly attempts: number;
}

/** Queues a look for each key: moves the entry's revision, or leaves a tombstone that waits for the answer where there is none. @returns how many were queued anew. */
export async function wantLooks(
  _tx: Tx,
  _want: {
    readonly accountId: number;
    readonly keys: readonly Key[];
    readonly reason: LookReason;
    readonly ruleRevision: number;
    /** What wants it, for `explain`: a run. */
    readonly eventId: string;
  },
): Promise<number> {
  return unbuilt('wantLooks');
}

/** Claims looks that are due, oldest first, skipping those that others hold; they come again after the lease. */
export async function claimLooks(
  _index: Index,
  _accountId: number,
  _limit: number,
  _leaseMs: number,
): Promise<readonly WantedLook[]> {
  return unbuilt('claimLooks');
}

/** The look could not be had: asks again later, and keeps why. */
export async function postponeLook(
  _index: Index,
  _accountId: number,
  _look: { readonly key: Key; readonly inMs: number; readonly error: string },
): Promise<void> {
  return unbuilt('postponeLook');
}

export async function countLooks(_on: Queryable, _accountId: number): Promise<number> {
  return unbuilt('countLooks');
}
