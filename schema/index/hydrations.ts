import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** A request to bring bytes in, as it stands. */
export interface Hydration {
  readonly requestId: string;
  readonly prefix: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly files: number;
  readonly already: number;
  readonly bytes: number;
  readonly failed: number;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | undefined;
}

/** Writes how a request stands; the first write starts it, `done` and `failed` end it. */
export async function upsertHydration(
  _on: Queryable,
  _accountId: number,
  _hydration: Omit<Hydration, 'startedAt' | 'endedAt'>,
): Promise<void> {
  return unbuilt('upsertHydration');
}

/** Newest first. */
export async function recentHydrations(
  _on: Queryable,
  _accountId: number,
  _limit: number,
): Promise<readonly Hydration[]> {
  return unbuilt('recentHydrations');
}
