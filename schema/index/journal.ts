import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
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

/** Messages that could never be applied. */
export interface DeadLetters {
  /** As far back as the journal is kept. */
  readonly count: number;
  readonly last: { readonly reason: string; readonly description: string; readonly at: Timestamp } | undefined;
}

/** Reads the account's whole journal: for a person who asks, not for a loop. */
export async function readDeadLetters(on: Queryable, accountId: number): Promise<DeadLetters> {
  const { rows } = await sql<{ count: number; detail: Record<string, string> | null; noted_at: number }>`
    select count(*) over () as count, detail, noted_at from journal
    where account_id = ${accountId} and kind = 'dead-letter'
    order by noted_at desc, id desc limit 1`.execute(on);
  const [newest] = rows;
  if (newest === undefined) return { count: 0, last: undefined };
  const { reason = 'unknown', description = '' } = newest.detail ?? {};
  return { count: newest.count, last: { reason, description, at: newest.noted_at } };
}
