import { sql } from 'kysely';
import type { Index } from '../../../schema/index/database.ts';

/** Of the sixteen partitions of the entries leaves two: a run makes, compares and drops as many tables of its own, which is most of what it costs a small account. */
export async function fewPartitions(index: Index): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'entries'::regclass`.execute(index.db);
  for (const { name } of rows) await sql`drop table ${sql.table(name)}`.execute(index.db);
  for (const part of [0, 1]) {
    await sql`create table ${sql.table(`entries_0${part}`)} partition of entries
      for values with (modulus 2, remainder ${sql.lit(part)})`.execute(index.db);
  }
}
