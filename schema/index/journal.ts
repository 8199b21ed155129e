import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import type { DeadLetterOrigin } from './dead-letters.ts';
import { storableJson, storableText } from './storable.ts';

/** A decision that was not routine: something refused, dropped, rewound, purged. */
export interface JournalNote {
  /** A kebab-case word: `unstorable-name`, `feed-rewound`. */
  readonly kind: string;
  readonly container?: string | undefined;
  readonly name?: string | undefined;
  readonly detail?: unknown;
}

export interface JournalRow extends JournalNote {
  readonly notedAt: Timestamp;
}

/** What is told of an event may be as long as its message, and is no name of a blob. */
const LONGEST = 4_000;

/** Writes notes down; a long text of a detail is cut. A name that Postgres cannot hold is written with U+FFFD in its place. */
export async function recordJournal(on: Queryable, accountId: number, notes: readonly JournalNote[]): Promise<void> {
  if (notes.length === 0) return;
  const text = (value: string | undefined) => (value === undefined ? null : storableText(value));
  await sql`
    insert into journal (account_id, kind, container, name, detail, noted_at)
    select ${accountId}::int, kind, container, name, detail::jsonb, ${serverNow}
    from unnest(
      ${textArray(notes.map((note) => note.kind))}::text[],
      ${textArray(notes.map((note) => text(note.container)))}::text[],
      ${textArray(notes.map((note) => text(note.name)))}::text[],
      ${textArray(notes.map((note) => (note.detail === undefined ? null : storableJson(note.detail, LONGEST))))}::text[]
    ) as page (kind, container, name, detail)`.execute(on);
}

/** Newest first. */
export async function recentJournal(
  on: Queryable,
  accountId: number,
  options: { readonly limit: number; readonly kind?: string | undefined },
): Promise<readonly JournalRow[]> {
  let query = on.selectFrom('journal').selectAll().where('account_id', '=', accountId);
  if (options.kind !== undefined) query = query.where('kind', '=', options.kind);
  const rows = await query.orderBy('noted_at', 'desc').orderBy('id', 'desc').limit(options.limit).execute();
  return rows.map((row) => ({
    kind: row.kind,
    container: row.container ?? undefined,
    name: row.name ?? undefined,
    detail: row.detail ?? undefined,
    notedAt: row.noted_at,
  }));
}

/** Whether one of these kinds was noted of this `detail.id` in the last so many milliseconds, by the server's clock. */
export async function isNotedWithin(
  on: Queryable,
  accountId: number,
  { kinds, id, ms }: { readonly kinds: readonly string[]; readonly id: string; readonly ms: number },
): Promise<boolean> {
  const { rows } = await sql`
    select from journal
    where account_id = ${accountId} and noted_at >= ${serverNow} - ${Math.ceil(ms)}::bigint
      and kind = any(${textArray(kinds)}::text[]) and detail ->> 'id' = ${id}
    limit 1`.execute(on);
  return rows.length > 0;
}

/** Messages that could never be applied. */
export interface DeadLetters {
  /** As far back as the journal is kept. An origin is unknown where it was not noted yet. */
  readonly byOrigin: readonly { readonly origin: DeadLetterOrigin | 'unknown'; readonly count: number }[];
  readonly last: { readonly reason: string; readonly description: string; readonly at: Timestamp } | undefined;
}

/** Reads the account's whole journal: for a person who asks, not for a loop. */
export async function readDeadLetters(on: Queryable, accountId: number): Promise<DeadLetters> {
  const { rows: byOrigin } = await sql<DeadLetters['byOrigin'][number]>`
    select coalesce(detail ->> 'origin', 'unknown') as origin, count(*) as count from journal
    where account_id = ${accountId} and kind = 'dead-letter' group by 1 order by 1`.execute(on);
  const [newest] = await recentJournal(on, accountId, { limit: 1, kind: 'dead-letter' });
  if (newest === undefined) return { byOrigin, last: undefined };
  const { reason = 'unknown', description = '' } = (newest.detail ?? {}) as Readonly<Record<string, string>>;
  return { byOrigin, last: { reason, description, at: newest.notedAt } };
}

/** When a dead letter was discarded, and why in an operator's words. */
export interface Discard {
  readonly at: Timestamp;
  readonly why: string;
}

/**
 * Reads the account's whole journal: for a person who asks, not for a loop.
 *
 * @param id what the letter is called by commands.
 * @returns undefined where nobody discarded it, as far back as the journal is kept.
 */
export async function readDiscard(on: Queryable, accountId: number, id: string): Promise<Discard | undefined> {
  const { rows } = await sql<Discard>`
    select noted_at as at, coalesce(detail ->> 'why', '') as why from journal
    where account_id = ${accountId} and kind = 'dead-letter-discarded' and detail ->> 'id' = ${id}
    order by noted_at desc, id desc limit 1`.execute(on);
  return rows[0];
}
