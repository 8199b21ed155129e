import { type Selectable, sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';
import { type Lateness, noLateness } from './lateness.ts';
import { TRIGGER_SOURCES, type TriggerSource } from './sources.ts';
import type { Tables } from './tables.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Lateness is judged by what came in these last minutes. */
export const RECENT_MS = 10 * MINUTE;

/**
 * What came, and who told of it first. Kept in memory and written about once a second, outside of the transactions that
 * apply, each of which would else write one row more: what a worker counted in its last second before a kill is missing.
 */
export interface TriggerTally {
  /** Events that were received as triggers. */
  readonly received: number;
  /** How many of them were later than the federation allows. */
  readonly late: number;
  /** Changes of the feed that a trigger had told before. A lower bound: what was changed again meanwhile is not compared. */
  readonly byTrigger: number;
  /** Changes of the feed that triggers announce, and that none had told before. */
  readonly byFeed: number;
  readonly lateness: Lateness;
}

/** Of all workers together: what one transport brought, and what triggers of all of them told first. */
export interface TriggerMinutes {
  readonly lastHour: TriggerTally;
  readonly recent: {
    readonly received: number;
    readonly late: number;
    /** In how many minutes any was late. */
    readonly lateMinutes: number;
    /** The first of those. */
    readonly lateSince: Timestamp | undefined;
  };
}

export function noTally(): { -readonly [name in keyof TriggerTally]: TriggerTally[name] } & { lateness: number[] } {
  return { received: 0, late: 0, byTrigger: 0, byFeed: 0, lateness: noLateness() };
}

/**
 * Adds to the minute that `now` is in.
 *
 * @param source what was received by; for what told first any, as the feed cannot tell which transport did.
 */
export async function addTriggerTally(
  on: Queryable,
  { accountId, source }: { readonly accountId: number; readonly source: TriggerSource },
  now: Timestamp,
  tally: TriggerTally,
): Promise<void> {
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const { received, late, byTrigger, byFeed, lateness } = tally;
  await sql`
    insert into trigger_minutes as m (account_id, source, minute, received, late, by_trigger, by_feed, lateness)
    values (${accountId}, ${source}, ${minute}, ${received}, ${late}, ${byTrigger}, ${byFeed}, ${lateness}::integer[])
    on conflict (account_id, source, minute) do update set
      received = m.received + excluded.received, late = m.late + excluded.late,
      by_trigger = m.by_trigger + excluded.by_trigger, by_feed = m.by_feed + excluded.by_feed,
      lateness = (
        select array_agg(coalesce(a, 0) + coalesce(b, 0) order by at)
        from unnest(m.lateness, excluded.lateness) with ordinality as both_of(a, b, at)
      )`.execute(on);
}

/** At most sixty small rows for each transport. */
export async function readTriggerMinutes(
  on: Queryable,
  accountId: number,
  now: Timestamp,
): Promise<Readonly<Record<TriggerSource, TriggerMinutes>>> {
  const rows = await on
    .selectFrom('trigger_minutes')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('minute', '>', now - HOUR)
    .orderBy('minute')
    .execute();
  const minutes = TRIGGER_SOURCES.map((name): [TriggerSource, TriggerMinutes] => {
    const own = rows.filter(({ source }) => source === name);
    return [name, { lastHour: lastHourOf(own, rows), recent: recentOf(own, now) }];
  });
  return Object.fromEntries(minutes) as Record<TriggerSource, TriggerMinutes>;
}

type MinuteRow = Selectable<Tables['trigger_minutes']>;

/** @param all rows, of every transport. */
function lastHourOf(own: readonly MinuteRow[], all: readonly MinuteRow[]): TriggerTally {
  const tally = noTally();
  for (const { received, late, lateness } of own) {
    tally.received += received;
    tally.late += late;
    for (const [at, count] of lateness.entries()) tally.lateness[at] = (tally.lateness[at] ?? 0) + count;
  }
  for (const { by_trigger, by_feed } of all) {
    tally.byTrigger += by_trigger;
    tally.byFeed += by_feed;
  }
  return tally;
}

function recentOf(own: readonly MinuteRow[], now: Timestamp): TriggerMinutes['recent'] {
  const recent = { received: 0, late: 0, lateMinutes: 0, lateSince: undefined as Timestamp | undefined };
  for (const { minute, received, late } of own) {
    if (minute <= now - RECENT_MS) continue;
    recent.received += received;
    recent.late += late;
    if (late === 0) continue;
    recent.lateMinutes++;
    recent.lateSince ??= minute;
  }
  return recent;
}

/** Removes minutes that nobody asks for any more. */
export async function purgeTriggerMinutes(on: Queryable, accountId: number, before: Timestamp): Promise<void> {
  await on.deleteFrom('trigger_minutes').where('account_id', '=', accountId).where('minute', '<', before).execute();
}
