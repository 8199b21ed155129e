import type { BlobEvent } from '../../namespace/change.ts';
import type { RefuseReason } from '../../namespace/decision.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import type { Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** A change that came from the side without authority (invariant 5), with both versions named. */
export interface Violation extends Key {
  readonly reason: RefuseReason;
  readonly source: string;
  readonly eventId: string;
  readonly api: string;
  readonly eventTime: Timestamp;
  /** The version that the change would have made, where it named one. */
  readonly changeEtag: string | undefined;
  readonly changeLength: number | undefined;
  /** The version that the index holds, where it holds one. */
  readonly entryEtag: string | undefined;
  readonly entryLength: number | undefined;
  readonly ruleRevision: number;
  readonly notedAt: Timestamp;
}

/** Records violations; the same event told twice by one source is one. */
export async function recordViolations(
  _tx: Tx,
  _accountId: number,
  _ruleRevision: number,
  _refused: readonly { readonly event: BlobEvent; readonly reason: RefuseReason }[],
): Promise<void> {
  return unbuilt('recordViolations');
}

/** Newest first. */
export async function recentViolations(
  _on: Queryable,
  _accountId: number,
  _limit: number,
): Promise<readonly Violation[]> {
  return unbuilt('recentViolations');
}

export async function countViolations(_on: Queryable, _accountId: number): Promise<number> {
  return unbuilt('countViolations');
}
