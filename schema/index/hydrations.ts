import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';

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
  on: Queryable,
  accountId: number,
  hydration: Omit<Hydration, 'startedAt' | 'endedAt'>,
): Promise<void> {
  const { requestId, prefix, state, files, already, bytes, failed } = hydration;
  await sql`
    insert into hydrations
      (account_id, request_id, prefix, state, files, already, bytes, failed, started_at, ended_at)
    values (
      ${accountId}, ${requestId}, ${prefix}, ${state}, ${files}, ${already}, ${bytes}, ${failed}, ${serverNow},
      case when ${state === 'running'} then null else ${serverNow} end
    )
    on conflict (account_id, request_id) do update set
      state = excluded.state, files = excluded.files, already = excluded.already, bytes = excluded.bytes,
      failed = excluded.failed, ended_at = excluded.ended_at`.execute(on);
}

/** Newest first. */
export async function recentHydrations(on: Queryable, accountId: number, limit: number): Promise<readonly Hydration[]> {
  const rows = await on
    .selectFrom('hydrations')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('started_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    requestId: row.request_id,
    prefix: row.prefix,
    state: row.state as Hydration['state'],
    files: row.files,
    already: row.already,
    bytes: row.bytes,
    failed: row.failed,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
  }));
}

/** Whether a request is being fulfilled. */
export async function isHydrating(on: Queryable, accountId: number): Promise<boolean> {
  const running = on.selectFrom('hydrations').select('prefix').where('account_id', '=', accountId);
  return (await running.where('state', '=', 'running').limit(1).executeTakeFirst()) !== undefined;
}
