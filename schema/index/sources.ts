import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableJson, storableText } from './storable.ts';

/** What brings triggers: `trigger` is Service Bus, which had no other beside it at first. */
export const TRIGGER_SOURCES = ['trigger', 'event-hubs'] as const;
export type TriggerSource = (typeof TRIGGER_SOURCES)[number];
export type SourceName = TriggerSource | 'feed' | 'inventory';

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

/** Writes what the source says. `head` and `applied` never fall, and stay where they are when not given; so does `detail`. */
export async function upsertSource(on: Queryable, report: SourceReport): Promise<void> {
  const detail = report.detail === undefined ? null : storableJson(report.detail);
  await sql`
    insert into sources (account_id, source, head, applied, state, reason, detail, updated_at)
    values (
      ${report.accountId}, ${report.source}, ${report.head ?? null}, ${report.applied ?? null}, ${report.state},
      ${report.reason === undefined ? null : storableText(report.reason)}, ${detail}::jsonb, ${serverNow}
    )
    on conflict (account_id, source) do update set
      head = greatest(sources.head, excluded.head),
      applied = greatest(sources.applied, excluded.applied),
      state = excluded.state,
      reason = excluded.reason,
      detail = coalesce(excluded.detail, sources.detail),
      updated_at = excluded.updated_at`.execute(on);
}

/** What every source that has ever spoken last said. */
export async function readSources(on: Queryable, accountId: number): Promise<readonly SourceRow[]> {
  const rows = await on
    .selectFrom('sources')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('source')
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    source: row.source as SourceName,
    head: row.head ?? undefined,
    applied: row.applied ?? undefined,
    state: row.state,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    updatedAt: row.updated_at,
  }));
}
