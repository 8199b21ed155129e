import { sql } from 'kysely';
import type { Queryable } from './database.ts';

/** A run of the account that has not ended and must not be forgotten. */
export interface StandingRun {
  readonly id: number;
  /** It goes on; else it waits for a decision. */
  readonly isDecided: boolean;
}

/** Runs that wait for a decision, and those that were decided and have not ended; the oldest first. */
export async function standingRuns(on: Queryable, accountId: number): Promise<readonly StandingRun[]> {
  const { rows } = await sql<StandingRun>`
    select id, decision is not null as "isDecided" from runs
    where account_id = ${accountId} and judge <> 'sink' and outcome is null
      and (waiting_since is not null or decision is not null)
    order by id`.execute(on);
  return rows;
}
