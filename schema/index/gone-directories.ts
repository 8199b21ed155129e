import { sql } from 'kysely';
import { directoriesOf } from '../../namespace/decide-subtree.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { textArray } from './arrays.ts';
import type { Tx } from './database.ts';
import { storedName } from './names.ts';
import { searchByKey } from './transact.ts';

/** When the last of the directories that a name lies in went, as far as that may concern the page. */
export type GoneDirectories = (key: Key) => Timestamp | undefined;

const NONE: GoneDirectories = () => undefined;

/**
 * Finds the directories that went after what the page tells, or near it. Asked in the transaction that holds the
 * account: whoever works a directory off waits for the pages that may not have read of it.
 *
 * Nearly every page tells of later than any directory that went, and costs one short query.
 */
export async function goneDirectories(
  tx: Tx,
  accountId: number,
  page: readonly (Key & { readonly time: Timestamp })[],
  margin: number,
): Promise<GoneDirectories> {
  const { rows: newest } = await sql<{ readonly time: number | null }>`
    select max(event_time) as time from subtrees where account_id = ${accountId}`.execute(tx);
  const last = newest[0]?.time ?? undefined;
  const directories = new Map<string, Key>();
  for (const { container, name, time } of page) {
    if (last === undefined || time > last + margin) continue;
    for (const directory of directoriesOf(name)) {
      const key = { container, name: directory };
      directories.set(formatKey(key), key);
    }
  }
  if (directories.size === 0) return NONE;
  const keys = [...directories.values()];
  const names = keys.map(({ name }) => storedName(name));
  const found = sql<{ readonly key: string; readonly time: number }>`
    select c.name || '/' || s.head || s.tail as key, max(s.event_time) as time
    from unnest(
      ${textArray(keys.map(({ container }) => container))}::text[],
      ${textArray(names.map(({ head }) => head))}::text[],
      ${textArray(names.map(({ tailHash }) => tailHash))}::text[]
    ) as x (container, head, tail_hash)
    join containers as c on c.account_id = ${accountId} and c.name = x.container
    join subtrees as s on s.account_id = ${accountId} and s.container_id = c.id and s.head = x.head
      and s.tail_hash = decode(x.tail_hash, 'hex')
    group by 1`;
  const { rows } = await searchByKey(tx, () => found.execute(tx));
  if (rows.length === 0) return NONE;
  const times = new Map(rows.map(({ key, time }) => [key, time]));
  return ({ container, name }) => {
    let newestOver: Timestamp | undefined;
    for (const directory of directoriesOf(name)) {
      const time = times.get(formatKey({ container, name: directory }));
      if (time !== undefined && (newestOver === undefined || time > newestOver)) newestOver = time;
    }
    return newestOver;
  };
}
