import { sql } from 'kysely';
import { compareUtf8 } from '../../namespace/key.ts';
import { textArray } from './arrays.ts';
import type { Queryable } from './database.ts';

/** The ids of the account's sinks, by name; made where they are missing. Entries carry the id of their rule's sink. */
export async function ensureSinks(
  on: Queryable,
  accountId: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const known = await readSinks(on, accountId);
  const missing = names.filter((name) => !known.has(name)).toSorted(compareUtf8);
  if (missing.length === 0) return known;
  await sql`
    insert into sinks (account_id, name)
    select ${accountId}::int, name from unnest(${textArray(missing)}::text[]) as page (name)
    on conflict do nothing`.execute(on);
  return readSinks(on, accountId);
}

export async function readSinks(on: Queryable, accountId: number): Promise<ReadonlyMap<string, number>> {
  const rows = await on.selectFrom('sinks').select(['id', 'name']).where('account_id', '=', accountId).execute();
  return new Map(rows.map((row) => [row.name, row.id]));
}

/** Says of each sink where its files are, as the worker was told that starts now. */
export async function publishRoots(
  on: Queryable,
  accountId: number,
  sinks: Readonly<Record<string, { readonly root: string }>>,
): Promise<void> {
  await ensureSinks(on, accountId, Object.keys(sinks));
  for (const [name, { root }] of Object.entries(sinks)) {
    await on.updateTable('sinks').set({ root }).where('account_id', '=', accountId).where('name', '=', name).execute();
  }
}

/** The root of each sink by its name, as the worker was told that started last. */
export async function readRoots(on: Queryable, accountId: number): Promise<ReadonlyMap<string, string>> {
  const rows = await on.selectFrom('sinks').select(['name', 'root']).where('account_id', '=', accountId).execute();
  return new Map(rows.flatMap(({ name, root }) => (root === null ? [] : [[name, root] as const])));
}
