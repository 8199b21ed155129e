import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableJson } from './storable.ts';

/** Something of the feed that nobody will read: retention took it, or somebody left it out. A reconcile heals what it said. */
export interface FeedGap {
  readonly id: number;
  /** The file that is missing, or was left out. */
  readonly missing: string;
  readonly detail: unknown;
  readonly notedAt: Timestamp;
  /** When a reconcile was asked for; none: it is to be asked for. */
  readonly requestedAt: Timestamp | undefined;
  readonly healedAt: Timestamp | undefined;
  /** The reconcile that healed it. */
  readonly runId: number | undefined;
}

/** Notes a gap, in the transaction that moves the cursor over it. */
export async function noteGap(
  on: Queryable,
  accountId: number,
  gap: { readonly missing: string; readonly detail: unknown },
): Promise<void> {
  await sql`
    insert into feed_gaps (account_id, missing, detail, noted_at)
    values (${accountId}, ${gap.missing}, ${storableJson(gap.detail)}::jsonb, ${serverNow})`.execute(on);
}

/** Newest first; with `open`, those only that no reconcile has healed. */
export async function readGaps(
  on: Queryable,
  accountId: number,
  options: { readonly limit: number; readonly open?: boolean | undefined },
): Promise<readonly FeedGap[]> {
  let query = on.selectFrom('feed_gaps').selectAll().where('account_id', '=', accountId);
  if (options.open === true) query = query.where('healed_at', 'is', null);
  const rows = await query.orderBy('id', 'desc').limit(options.limit).execute();
  return rows.map((row) => ({
    id: row.id,
    missing: row.missing,
    detail: row.detail ?? undefined,
    notedAt: row.noted_at,
    requestedAt: row.requested_at ?? undefined,
    healedAt: row.healed_at ?? undefined,
    runId: row.run_id ?? undefined,
  }));
}

/** Notes that a reconcile was asked for now, for every open gap up to this one. */
export async function noteRequested(on: Queryable, accountId: number, upTo: number): Promise<void> {
  await sql`
    update feed_gaps set requested_at = ${serverNow}
    where account_id = ${accountId} and id <= ${upTo} and healed_at is null`.execute(on);
}

/** Ends the gaps that were noted before this run began: whoever calls it has a complete listing of everything. */
export async function healGaps(on: Queryable, accountId: number, runId: number): Promise<void> {
  await sql`
    update feed_gaps set healed_at = ${serverNow}, run_id = ${runId}
    where account_id = ${accountId} and healed_at is null
      and noted_at < (select started_at from runs where id = ${runId})`.execute(on);
}
