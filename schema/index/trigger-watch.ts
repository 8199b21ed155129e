import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import type { TriggerSource } from './sources.ts';
import { storableText } from './storable.ts';

/** Where nobody has listened for this long, nothing is expected of the time before. Longer than a turn of the intake and a restart. */
export const UNHEARD_MS = 5 * 60_000;

/** One transport of triggers, as far as its silence can be judged by it. */
export interface TriggerWatchRow {
  readonly source: TriggerSource;
  /** When its intake last began a turn. */
  readonly heardAt: Timestamp;
  /** Since when it has listened without a break. */
  readonly since: Timestamp;
  readonly receivedAt: Timestamp | undefined;
  /** A change that the feed told, of which and since which nothing was received. */
  readonly untold: { readonly time: Timestamp; readonly notedAt: Timestamp; readonly name: string } | undefined;
  readonly canary: {
    readonly writtenAt: Timestamp | undefined;
    /** When the first one was written, or was to be, whose trigger has not come. */
    readonly waitingSince: Timestamp | undefined;
    /** Why the last one could not be written. */
    readonly error: string | undefined;
  };
}

/** What a batch of received triggers says of their sender. */
export interface Reception {
  readonly at: Timestamp;
  /** Time of the newest event of the federation's own canary. */
  readonly canary: Timestamp | undefined;
  /** What two clocks may disagree by, in milliseconds. */
  readonly margin: number;
}

type Of = { readonly accountId: number; readonly source: TriggerSource };

/** The intake listens. After a break, what was missed before it is forgotten. */
export async function hearTriggers(on: Queryable, { accountId, source }: Of, now: Timestamp): Promise<void> {
  const unbroken = sql`trigger_watch.heard_at >= ${now - UNHEARD_MS}`;
  await sql`
    insert into trigger_watch (account_id, source, heard_at, since) values (${accountId}, ${source}, ${now}, ${now})
    on conflict (account_id, source) do update set
      heard_at = greatest(trigger_watch.heard_at, excluded.heard_at),
      since = case when ${unbroken} then trigger_watch.since else excluded.since end,
      untold_at = case when ${unbroken} then trigger_watch.untold_at end,
      untold_noted_at = case when ${unbroken} then trigger_watch.untold_noted_at end,
      untold_name = case when ${unbroken} then trigger_watch.untold_name end,
      canary_waiting = case when ${unbroken} then trigger_watch.canary_waiting end`.execute(on);
}

/** Something was received: whatever was missed is over, but for a canary whose own trigger has not come. */
export async function noteReceived(on: Queryable, { accountId, source }: Of, received: Reception): Promise<void> {
  const answered = received.canary === undefined ? null : received.canary + received.margin;
  await sql`
    update trigger_watch set
      received_at = greatest(received_at, ${received.at}), untold_at = null, untold_noted_at = null, untold_name = null,
      canary_waiting = case when canary_waiting <= ${answered}::bigint then null else canary_waiting end
    where account_id = ${accountId} and source = ${source}`.execute(on);
}

/** From when on changes should have been told of by triggers, and up to when they were; undefined where nobody listens. */
export async function readListening(
  on: Queryable,
  accountId: number,
): Promise<{ readonly since: Timestamp; readonly told: Timestamp } | undefined> {
  const { rows } = await sql<{ since: number | null; told: number }>`
    select min(since) as since, min(coalesce(applied, 0)) as told
    from trigger_watch as w left join sources as s on s.account_id = w.account_id and s.source = w.source
    where w.account_id = ${accountId}`.execute(on);
  const { since, told } = rows[0] ?? { since: null, told: 0 };
  return since === null ? undefined : { since, told };
}

/**
 * Notes a change that the feed has told with no trigger before it, for every transport that has told of nothing as
 * new and listened by then. The first one stays.
 *
 * @param margin what two clocks may disagree by, in milliseconds.
 */
export async function noteUntold(
  on: Queryable,
  accountId: number,
  change: { readonly time: Timestamp; readonly name: string },
  { now, margin }: { readonly now: Timestamp; readonly margin: number },
): Promise<void> {
  await sql`
    update trigger_watch as w set
      untold_at = ${change.time}, untold_noted_at = ${now}, untold_name = ${storableText(change.name)}
    where account_id = ${accountId} and untold_at is null and since < ${change.time}
      and coalesce((select applied from sources as s where s.account_id = w.account_id and s.source = w.source), 0)
        + ${margin} < ${change.time}`.execute(on);
}

/**
 * Claims the writing of a canary where it is due. @returns whether it is this caller's to write.
 *
 * A clock that is ahead of the server's counts as the server's: it would else hold back every other worker's canary, and
 * the wait for its trigger, until that time comes. Of what one has left behind nobody waits for the end either; what lies
 * ahead of the caller's clock alone is another worker's, and stays.
 */
export async function claimCanary(
  on: Queryable,
  { accountId, source }: Of,
  { now, everyMs }: { readonly now: Timestamp; readonly everyMs: number },
): Promise<boolean> {
  const { rows } = await sql`
    update trigger_watch set canary_at = t.now,
      canary_waiting = case when canary_waiting <= ${serverNow} + ${everyMs} then canary_waiting else t.now end
    from (select least(${now}::bigint, ${serverNow}) as now) as t
    where account_id = ${accountId} and source = ${source}
      and (canary_at is null or canary_at <= t.now - ${everyMs} or canary_at > ${serverNow} + ${everyMs})
    returning source`.execute(on);
  return rows.length > 0;
}

/** @param error why it could not be written; undefined where it was. */
export async function noteCanary(on: Queryable, { accountId, source }: Of, error: string | undefined): Promise<void> {
  await sql`
    update trigger_watch set canary_error = ${error === undefined ? null : storableText(error)}
    where account_id = ${accountId} and source = ${source}`.execute(on);
}

export async function readTriggerWatch(on: Queryable, accountId: number): Promise<readonly TriggerWatchRow[]> {
  const rows = await on.selectFrom('trigger_watch').selectAll().where('account_id', '=', accountId).execute();
  return rows.map((row) => ({
    source: row.source as TriggerSource,
    heardAt: row.heard_at,
    since: row.since,
    receivedAt: row.received_at ?? undefined,
    untold:
      row.untold_at === null
        ? undefined
        : { time: row.untold_at, notedAt: row.untold_noted_at ?? row.untold_at, name: row.untold_name ?? '' },
    canary: {
      writtenAt: row.canary_at ?? undefined,
      waitingSince: row.canary_waiting ?? undefined,
      error: row.canary_error ?? undefined,
    },
  }));
}
