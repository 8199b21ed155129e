import { sql } from 'kysely';
import type { ContainerState } from '../../namespace/container.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Epoch } from '../../namespace/epoch.ts';
import { compareUtf8 } from '../../namespace/key.ts';
import { plainArray, textArray } from './arrays.ts';
import type { Queryable, Tx } from './database.ts';

/** A container as the index knows it. */
export interface ContainerRow extends ContainerState {
  readonly id: number;
  /** The account's: what its clocks may err by, in milliseconds. */
  readonly margin: number;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly newest_epoch: Buffer | null;
  readonly gone_at: number | null;
  readonly margin: number;
}

/** What a `ContainerRow` is read from. */
const COLUMNS = sql.raw(
  'id, name, newest_epoch, gone_at, (select margin from accounts as a where a.id = containers.account_id) as margin',
);

function toContainer(row: Row): ContainerRow {
  return {
    id: row.id,
    newestEpoch: row.newest_epoch === null ? undefined : (row.newest_epoch.toString('hex') as Epoch),
    goneAt: row.gone_at ?? undefined,
    margin: row.margin,
  };
}

/** What is known of these containers; those that the index has never seen are absent. */
export async function containerStates(
  on: Queryable,
  accountId: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, ContainerRow>> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from containers
    where account_id = ${accountId} and name = any(${textArray(names)}::text[])`.execute(on);
  return new Map(rows.map((row) => [row.name, toContainer(row)]));
}

/** Like `containerStates`, but makes the rows that are missing. */
export async function ensureContainers(
  tx: Tx,
  accountId: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, ContainerRow>> {
  const known = await containerStates(tx, accountId, names);
  // In key order, as every lock is taken.
  const missing = names.filter((name) => !known.has(name)).toSorted(compareUtf8);
  if (missing.length === 0) return known;
  await sql`
    insert into containers (account_id, name)
    select ${accountId}::int, name from unnest(${textArray(missing)}::text[]) as page (name)
    on conflict do nothing`.execute(tx);
  return containerStates(tx, accountId, names);
}

/** Every container of the account, in key order. */
export async function listContainers(
  on: Queryable,
  accountId: number,
): Promise<readonly (ContainerRow & { readonly name: string })[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from containers where account_id = ${accountId} order by name`.execute(on);
  return rows.map((row) => ({ ...toContainer(row), name: row.name }));
}

/** Raises `newestEpoch` (it never falls) and marks a sweep due: what belonged to an older incarnation is dead now. */
export async function noteEpochs(tx: Tx, accountId: number, epochs: ReadonlyMap<string, Epoch>): Promise<void> {
  if (epochs.size === 0) return;
  const page = [...epochs].toSorted(([a], [b]) => compareUtf8(a, b));
  await sql`
    insert into containers (account_id, name, newest_epoch)
    select ${accountId}::int, name, decode(epoch, 'hex')
    from unnest(${textArray(page.map(([name]) => name))}::text[], ${plainArray(page.map(([, epoch]) => epoch))}::text[])
      as page (name, epoch)
    on conflict (account_id, name) do update set
      newest_epoch = excluded.newest_epoch,
      sweep_due = true, sweep_at = 0, sweep_round = containers.sweep_round + 1, sweep_head = '', sweep_tail = ''
    where containers.newest_epoch is null or containers.newest_epoch < excluded.newest_epoch`.execute(tx);
}

/** The container itself answered 404 at this time of the server: raises `goneAt` and marks a sweep due. */
export async function noteContainerGone(tx: Tx, accountId: number, name: string, at: Timestamp): Promise<void> {
  await ensureContainers(tx, accountId, [name]);
  await sql`
    update containers set
      gone_at = ${at},
      sweep_due = true, sweep_at = 0, sweep_round = sweep_round + 1, sweep_head = '', sweep_tail = ''
    where account_id = ${accountId} and name = ${name} and (gone_at is null or gone_at < ${at})`.execute(tx);
}
