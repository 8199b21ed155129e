import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from '../../schema/index/clock.ts';
import type { Queryable } from '../../schema/index/database.ts';

/** The index's own clock: what is queued there is dated by it. */
export async function serverTime(on: Queryable): Promise<Timestamp> {
  const { rows } = await sql<{ now: number }>`select ${serverNow} as now`.execute(on);
  return rows[0]?.now ?? 0;
}
