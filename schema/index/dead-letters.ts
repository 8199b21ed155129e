import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';
import { storableText } from './storable.ts';

/** Where a letter came from that the index keeps. */
export type KeptOrigin = 'event-hubs' | 'event-grid';

/** Where any letter came from: Service Bus keeps its own. */
export type DeadLetterOrigin = KeptOrigin | 'service-bus';

/** A message that could not be applied, and that nobody else keeps. */
export interface NewDeadLetter {
  readonly origin: KeptOrigin;
  /** Of the same message always the same, of another one never. Any length. */
  readonly messageId: string;
  /** As it was received: object, text, bytes. Whatever it is, keeping it does not fail. */
  readonly body: unknown;
  /** A word that operators filter by: `UndecodableReason`. */
  readonly reason: string;
  readonly description: string;
  readonly enqueuedAt: Timestamp;
}

/** A letter that the index keeps. */
export interface KeptDeadLetter extends NewDeadLetter {
  readonly id: number;
  readonly keptAt: Timestamp;
}

/**
 * Keeps messages that could not be applied, in the transaction that moves past them. One that was kept already, by
 * origin and message id, stays as it is, also where it was replayed or discarded since.
 *
 * @returns how many are new.
 */
export async function keepDeadLetters(tx: Tx, accountId: number, letters: readonly NewDeadLetter[]): Promise<number> {
  if (letters.length === 0) return 0;
  // In the order given: whoever keeps the same letters beside this one read them in the same order.
  const rows = letters.map((letter) => ({ ...letter, hash: hashOf(letter.messageId), kept: keptBody(letter.body) }));
  const { numAffectedRows } = await sql`
    insert into dead_letters
      (account_id, enqueued_at, kept_at, origin, body_form, message_id, message_hash, reason, description, body)
    select ${accountId}::int, enqueued_at, ${serverNow}, origin, body_form, message_id, decode(hash, 'hex'), reason,
      description, decode(body, 'base64')
    from unnest(
      ${plainArray(rows.map(({ enqueuedAt }) => enqueuedAt))}::bigint[],
      ${textArray(rows.map(({ origin }) => origin))}::text[],
      ${textArray(rows.map(({ kept }) => kept.form))}::text[],
      ${textArray(rows.map(({ messageId }) => storableText(messageId)))}::text[],
      ${plainArray(rows.map(({ hash }) => hash))}::text[],
      ${textArray(rows.map(({ reason }) => storableText(reason)))}::text[],
      ${textArray(rows.map(({ description }) => storableText(description)))}::text[],
      ${textArray(rows.map(({ kept }) => kept.bytes.toString('base64')))}::text[]
    ) with ordinality as page (enqueued_at, origin, body_form, message_id, hash, reason, description, body, ord)
    order by ord
    on conflict (account_id, origin, message_hash) do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** Open letters, oldest first, after the one with this id. */
export async function readOpenLetters(
  on: Queryable,
  accountId: number,
  options: { readonly limit: number; readonly after?: number | undefined },
): Promise<readonly KeptDeadLetter[]> {
  const rows = await on
    .selectFrom('dead_letters')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('state', '=', 'open')
    .where('id', '>', options.after ?? 0)
    .orderBy('id')
    .limit(options.limit)
    .execute();
  return rows.map(letterOf);
}

/** What became of a letter. */
export type LetterState = 'open' | 'replayed' | 'discarded';

/** Reads one letter, whatever became of it; undefined where there is none. */
export async function readLetter(
  on: Queryable,
  accountId: number,
  id: number,
): Promise<{ readonly letter: KeptDeadLetter; readonly state: LetterState } | undefined> {
  const row = await on
    .selectFrom('dead_letters')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { letter: letterOf(row), state: row.state as LetterState };
}

/**
 * Takes a letter out of those that are open, in the transaction that holds its effect: of two that replay or discard
 * it at once, one waits for the other and is told `false`.
 */
export async function settleLetter(
  tx: Tx,
  accountId: number,
  id: number,
  state: 'replayed' | 'discarded',
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update dead_letters set state = ${state}, settled_at = ${serverNow}
    where account_id = ${accountId} and id = ${id} and state = 'open'`.execute(tx);
  return numAffectedRows === 1n;
}

/** Whether a letter was settled in the last so many milliseconds, by the server's clock. */
export async function isSettledWithin(on: Queryable, accountId: number, id: number, ms: number): Promise<boolean> {
  const { rows } = await sql`
    select from dead_letters
    where account_id = ${accountId} and id = ${id} and settled_at >= ${serverNow} - ${Math.ceil(ms)}::bigint`.execute(
    on,
  );
  return rows.length > 0;
}

/** Open letters that are counted: to read them all each quarter of a minute would cost the more the more there are. */
export const COUNTED_LETTERS = 10_000;

/** How many of the newest are open, by where they came from and why; more than `limit` are not counted. */
export async function countOpenLetters(
  on: Queryable,
  accountId: number,
  limit = COUNTED_LETTERS,
): Promise<readonly { readonly origin: KeptOrigin; readonly reason: string; readonly count: number }[]> {
  const rows = await on
    .selectFrom((from) =>
      from
        .selectFrom('dead_letters')
        .select(['origin', 'reason'])
        .where('account_id', '=', accountId)
        .where('state', '=', 'open')
        .orderBy('id', 'desc')
        .limit(limit)
        .as('newest'),
    )
    .select(({ fn }) => ['origin', 'reason', fn.countAll<number>().as('count')])
    .groupBy(['origin', 'reason'])
    .orderBy('origin')
    .orderBy('reason')
    .execute();
  return rows.map(({ origin, reason, count }) => ({ origin: origin as KeptOrigin, reason, count }));
}

type BodyForm = 'json' | 'bytes' | 'shown';

/** JSON escapes what UTF-8 has no bytes for. What is no JSON either (no source sends it) is kept as it looks. */
function keptBody(body: unknown): { readonly form: BodyForm; readonly bytes: Buffer } {
  if (body instanceof Uint8Array) return { form: 'bytes', bytes: Buffer.from(body) };
  try {
    return { form: 'json', bytes: Buffer.from(JSON.stringify(body) ?? 'null') };
  } catch {
    return { form: 'shown', bytes: Buffer.from(inspect(body)) };
  }
}

function bodyOf(form: BodyForm, bytes: Buffer): unknown {
  if (form === 'bytes') return bytes;
  const text = bytes.toString();
  return form === 'json' ? JSON.parse(text) : text;
}

function letterOf(row: {
  id: number;
  origin: string;
  message_id: string;
  body_form: string;
  body: Buffer;
  reason: string;
  description: string;
  enqueued_at: number;
  kept_at: number;
}): KeptDeadLetter {
  return {
    id: row.id,
    origin: row.origin as KeptOrigin,
    messageId: row.message_id,
    body: bodyOf(row.body_form as BodyForm, row.body),
    reason: row.reason,
    description: row.description,
    enqueuedAt: row.enqueued_at,
    keptAt: row.kept_at,
  };
}

function hashOf(messageId: string): string {
  return createHash('sha256').update(JSON.stringify(messageId)).digest('hex');
}
