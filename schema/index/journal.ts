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

/** Writes notes down. A name that Postgres cannot hold is written with U+FFFD in its place. */
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
      ${textArray(notes.map((note) => (note.detail === undefined ? null : storableJson(note.detail))))}::text[]
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
