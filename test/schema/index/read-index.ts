import { sql } from 'kysely';
import type { ContainerState } from '../../../namespace/container.ts';
import type { Entry } from '../../../namespace/entry.ts';
import { containerStates, listContainers } from '../../../schema/index/containers.ts';
import type { Index } from '../../../schema/index/database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from '../../../schema/index/entry-row.ts';

/** Every entry of the account as it is stored, in key order. */
export async function storedEntries(index: Index, accountId: number): Promise<readonly Entry[]> {
  const { rows } = await sql<EntryColumns & { readonly container: string }>`
    select c.name as container, ${sql.raw(ENTRY_COLUMNS)}
    from entries as e join containers as c on c.account_id = e.account_id and c.id = e.container_id
    where e.account_id = ${accountId} order by c.name, e.head, e.tail`.execute(index.db);
  return rows.map((row) => entryOf(row.container, row));
}

/** `container/name` of every look that is queued, with its reason. */
export async function queuedLooks(index: Index, accountId: number): Promise<readonly string[]> {
  const { rows } = await sql<{ key: string }>`
    select (c.name || '/' || q.head || q.tail || ' ' || q.reason) collate "C" as key
    from looks as q join containers as c on c.account_id = q.account_id and c.id = q.container_id
    where q.account_id = ${accountId} order by key`.execute(index.db);
  return rows.map((row) => row.key);
}

/** What is known of every container. */
export async function storedContainers(index: Index, accountId: number): Promise<ReadonlyMap<string, ContainerState>> {
  const names = (await listContainers(index.db, accountId)).map(({ name }) => name);
  const states = await containerStates(index.db, accountId, names);
  return new Map([...states].map(([name, { newestEpoch, goneAt }]) => [name, { newestEpoch, goneAt }]));
}
