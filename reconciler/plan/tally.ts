import { sql } from 'kysely';
import type { Queryable } from '../../schema/index/database.ts';
import type { Staging } from '../staging/staging.ts';

/** Names of one container, as they were compared. */
export interface Tally {
  readonly listed: number;
  /** Live in the index, of those that the judge may judge. */
  readonly live: number;
  readonly missing: number;
}

/** By the container's number. */
export async function readTallies(on: Queryable, staging: Staging): Promise<ReadonlyMap<number, Tally>> {
  await staging.assertKept(on);
  const { rows } = await sql<Tally & { readonly id: number }>`
    select container_id as id, sum(listed)::bigint as listed, sum(live)::bigint as live, sum(missing)::bigint as missing
    from ${staging.tally} group by 1`.execute(on);
  return new Map(rows.map(({ id, listed, live, missing }) => [id, { listed, live, missing }]));
}
