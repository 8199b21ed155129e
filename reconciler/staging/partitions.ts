import { type RawBuilder, sql } from 'kysely';
import type { Queryable } from '../../schema/index/database.ts';

/** A part of `entries` and the part of `listed` that holds the same keys. */
export interface Pair {
  /** The same after a restart. */
  readonly name: string;
  readonly entries: RawBuilder<unknown>;
  readonly listed: RawBuilder<unknown>;
}

interface Partition {
  /** As it is written in a statement. */
  readonly name: string;
  /** `FOR VALUES …`. */
  readonly bound: string;
}

/** What rows are spread by. Tables with the same key and bounds hold a row in partitions of the same bound. */
const KEY = 'HASH (account_id, container_id, head)';

/**
 * How a table is partitioned; no key where it is not, or in a way that no other table can follow (by something
 * else, in several steps, in partitions that are tables elsewhere).
 */
export async function partitionsOf(
  on: Queryable,
  table: string,
): Promise<{ readonly key: string | undefined; readonly partitions: readonly Partition[] }> {
  const { rows } = await sql<Partition & { key: string | null; kind: string }>`
    select pg_get_partkeydef(i.inhparent) as key, c.oid::regclass::text as name, c.relkind as kind,
      pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(${table}) order by c.relname`.execute(on);
  if (rows.length === 0 || rows.some(({ key, kind }) => key !== KEY || kind !== 'r')) {
    return { key: undefined, partitions: [] };
  }
  return { key: KEY, partitions: rows };
}

/** Pairs the partitions of two tables by their bounds; the whole tables are the only pair where they differ. */
export async function pairsOf(on: Queryable, entries: string, listed: string): Promise<readonly Pair[]> {
  const [ours, theirs] = [await partitionsOf(on, entries), await partitionsOf(on, listed)];
  const byBound = new Map(theirs.partitions.map(({ name, bound }) => [bound, name]));
  const pairs = ours.partitions.flatMap(({ name, bound }): Pair[] => {
    const other = byBound.get(bound);
    return other === undefined ? [] : [{ name, entries: sql.raw(name), listed: sql.raw(other) }];
  });
  const whole = pairs.length === 0 || pairs.length < Math.max(ours.partitions.length, theirs.partitions.length);
  return whole ? [{ name: entries, entries: sql.table(entries), listed: sql.table(listed) }] : pairs;
}
