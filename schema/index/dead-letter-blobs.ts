import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';
import { storableText } from './storable.ts';

/** One version of a blob of Event Grid's dead-letter container. */
export interface DeadLetterBlob {
  readonly name: string;
  readonly etag: string;
}

/** Those of these blobs, in their order and each once, that were not read yet in this version. */
export async function unreadBlobs<Blob extends DeadLetterBlob>(
  on: Queryable,
  accountId: number,
  blobs: readonly Blob[],
): Promise<readonly Blob[]> {
  if (blobs.length === 0) return [];
  const { rows } = await sql<{ ord: number }>`
    select min(ord) as ord from unnest(
      ${plainArray(blobs.map(({ name }) => hashOf(name)))}::text[],
      ${textArray(blobs.map(({ etag }) => storableText(etag)))}::text[]
    ) with ordinality as page (hash, etag, ord)
    where not exists (
      select from dead_letter_blobs as b
      where b.account_id = ${accountId} and b.name_hash = decode(page.hash, 'hex') and b.etag = page.etag
    )
    group by hash, etag order by 1`.execute(on);
  return rows.flatMap(({ ord }) => blobs[ord - 1] ?? []);
}

/**
 * Remembers that a blob was read, in the transaction that holds the last of its effect.
 *
 * @param letters how many of its events could not be applied.
 */
export async function noteBlobRead(
  tx: Tx,
  accountId: number,
  { name, etag }: DeadLetterBlob,
  letters: number,
): Promise<void> {
  await sql`
    insert into dead_letter_blobs (account_id, read_at, letters, name_hash, etag, name)
    values (${accountId}, ${serverNow}, ${letters}, decode(${hashOf(name)}, 'hex'), ${storableText(etag)},
      ${storableText(name)})
    on conflict do nothing`.execute(tx);
}

const DAY = 86_400_000;

/** Notes that these blobs are in the container still, where that was last noted more than a day ago. */
export async function stillThere(on: Queryable, accountId: number, blobs: readonly DeadLetterBlob[]): Promise<void> {
  if (blobs.length === 0) return;
  await sql`
    update dead_letter_blobs as b set read_at = ${serverNow}
    from unnest(
      ${plainArray(blobs.map(({ name }) => hashOf(name)))}::text[],
      ${textArray(blobs.map(({ etag }) => storableText(etag)))}::text[]
    ) as page (hash, etag)
    where b.account_id = ${accountId} and b.name_hash = decode(page.hash, 'hex') and b.etag = page.etag
      and b.read_at < ${serverNow} - ${DAY}::bigint`.execute(on);
}

/**
 * Forgets some of those that were neither read nor found again for two days: to be called when the whole container was
 * listed, and what it has was noted. @returns whether none is left.
 */
export async function forgetGoneBlobs(on: Queryable, accountId: number, limit: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    delete from dead_letter_blobs where account_id = ${accountId} and (name_hash, etag) in (
      select name_hash, etag from dead_letter_blobs
      where account_id = ${accountId} and read_at < ${serverNow} - ${2 * DAY}::bigint limit ${limit}
    )`.execute(on);
  return Number(numAffectedRows ?? 0n) < limit;
}

function hashOf(name: string): string {
  return createHash('sha256').update(JSON.stringify(name)).digest('hex');
}
