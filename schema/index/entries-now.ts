import { sql } from 'kysely';
import type { Entry } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { plainArray } from './arrays.ts';
import { type ContainerRow, containerStates } from './containers.ts';
import type { Tx } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { keyArrays, pageKey } from './page-rows.ts';

/** What the index says of a key now. */
export interface EntryNow {
  readonly container: ContainerRow;
  /** Undefined where there is none. */
  readonly entry: Entry | undefined;
  /** Why its look could not be had, where one is due. */
  readonly lookError: string | undefined;
}

type Row = EntryColumns & { readonly ord: number; readonly error: string | null };

/**
 * What the index says of these keys now, by `container/name`; those of containers that it has never seen are absent.
 * In a transaction that searches by key (`TransactOptions.byKey`).
 */
export async function entriesNow(
  tx: Tx,
  accountId: number,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, EntryNow>> {
  const names = [...new Set(keys.map(({ container }) => container))];
  const containers = await containerStates(tx, accountId, names);
  const now = new Map<string, EntryNow>();
  const known = keys.flatMap((key) => {
    const container = containers.get(key.container);
    if (container === undefined) return [];
    now.set(formatKey(key), { container, entry: undefined, lookError: undefined });
    return { key, container, ...pageKey(container.id, key.name) };
  });
  const arrays = keyArrays(known);
  const { rows } = await sql<Row>`
    select x.ord, q.error, ${sql.raw(ENTRY_COLUMNS)}
    from unnest(${arrays.containers}::int[], ${arrays.heads}::text[], ${arrays.hashes}::text[], ${plainArray(known.map((_, at) => at))}::int[])
        as x (container_id, head, tail_hash, ord)
      join entries as e on e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex')
      left join looks as q on q.account_id = ${accountId} and q.container_id = x.container_id and q.head = x.head
        and q.tail_hash = decode(x.tail_hash, 'hex')`.execute(tx);
  for (const row of rows) {
    const of = known[row.ord];
    if (of === undefined) continue;
    const entry = entryOf(of.key.container, row);
    now.set(formatKey(of.key), { container: of.container, entry, lookError: row.error ?? undefined });
  }
  return now;
}
