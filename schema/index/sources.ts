import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import { unbuilt } from './unbuilt.ts';

export type SourceName = 'trigger' | 'feed' | 'inventory';

/** What a source last said of itself; what `status` shows and silence is measured by. */
export interface SourceReport {
  readonly accountId: number;
  readonly source: SourceName;
  /** The newest moment that the source is known to have something of. */
  readonly head?: Timestamp | undefined;
  /** The newest moment whose changes are applied. */
  readonly applied?: Timestamp | undefined;
  readonly state: string;
  readonly reason?: string | undefined;
  readonly detail?: unknown;
}

export interface SourceRow extends SourceReport {
  readonly updatedAt: Timestamp;
}

/** Writes what the source says. `head` and `applied` never fall, and stay where they are when not given. */
export async function upsertSource(_on: Queryable, _report: SourceReport): Promise<void> {
  return unbuilt('upsertSource');
}

export async function readSources(_on: Queryable, _accountId: number): Promise<readonly SourceRow[]> {
  return unbuilt('readSources');
}
