import { sql } from 'kysely';
import type { ContainerState } from '../../namespace/container.ts';
import type { Entry, Timestamp } from '../../namespace/entry.ts';
import { compareUtf8, type Key } from '../../namespace/key.ts';
import { isLive } from '../../namespace/liveness.ts';
import { containerStates, listContainers } from './containers.ts';
import type { Queryable } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { isDeadSql, lives } from './lives.ts';
import { afterName, inPrefix, prefixScope } from './name-range.ts';
import { storedName } from './names.ts';
import { STUB_STATES, type StubState } from './stubs.ts';

export { type Digest, digestEntries } from './digest.ts';

/** What stands in the sink for an entry. */
export interface StubStatus {
  /** The rule's sink when the entry was last written; none under no rule. */
  readonly sink: string | undefined;
  readonly due: boolean;
  readonly state: StubState;
  /** The entry's revision that the stub shows. */
  readonly revision: number;
  readonly etag: string | undefined;
  readonly detail: string | undefined;
  readonly tries: number;
}

/** An entry with what stands for it. */
export interface EntryRow extends Entry {
  readonly stub: StubStatus;
  /** When the index last wrote it. */
  readonly changedAt: Timestamp;
}

export interface ListOptions {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  /** Only what comes after this key, in key order. */
  readonly after?: Key | undefined;
  readonly limit: number;
}

type Row = EntryColumns & {
  readonly changed_at: number;
  readonly sink: string | null;
  readonly stub_due: boolean;
  readonly stub_state: StubState;
  readonly stub_revision: number;
  readonly stub_etag: string | null;
  readonly stub_detail: string | null;
  readonly stub_tries: number;
};

const ROW = sql.raw(`${ENTRY_COLUMNS}, e.changed_at, s.name as sink, e.stub_due, e.stub_state, e.stub_revision,
  e.stub_etag, e.stub_detail, e.stub_tries`);

function entryRowOf(container: string, row: Row): EntryRow {
  return {
    ...entryOf(container, row),
    changedAt: row.changed_at,
    stub: {
      sink: row.sink ?? undefined,
      due: row.stub_due,
      state: row.stub_state,
      revision: row.stub_revision,
      etag: row.stub_etag ?? undefined,
      detail: row.stub_detail ?? undefined,
      tries: row.stub_tries,
    },
  };
}

/** Live entries (computed) under a prefix, in key order. Fewer than `limit` means that there are no more. */
export async function listEntries(
  on: Queryable,
  accountId: number,
  options: ListOptions,
): Promise<readonly EntryRow[]> {
  const { after, limit, prefix } = options;
  const scope = prefixScope(prefix, await listContainers(on, accountId));
  const found: EntryRow[] = [];
  for (const container of scope.containers) {
    if (found.length >= limit) break;
    const order = after === undefined ? 1 : compareUtf8(container.name, after.container);
    if (order < 0) continue;
    const { rows } = await sql<Row>`
      select ${ROW} from entries as e left join sinks as s on s.id = e.sink_id, ${lives([container])}
      where e.account_id = ${accountId} and e.container_id = ${container.id} and e.live and not ${isDeadSql}
        and ${inPrefix(scope.name)} and ${order === 0 && after !== undefined ? afterName(after.name) : sql`true`}
      order by e.head, e.tail limit ${limit - found.length}`.execute(on);
    for (const row of rows) found.push(entryRowOf(container.name, row));
  }
  return found;
}

export interface EntryCounts {
  readonly live: number;
  readonly tombstones: number;
  /** Stored as live, but their container's incarnation is dead: a sweep will write them down. */
  readonly dead: number;
  readonly lookDue: number;
  readonly stubDue: number;
  /** Of the live ones. */
  readonly bytes: number;
  /** Of the live ones. */
  readonly byStub: Readonly<Record<StubState, number>>;
}

/** Counts every entry of the account, in one pass over the table. */
export async function countEntries(on: Queryable, accountId: number): Promise<EntryCounts> {
  const containers = await listContainers(on, accountId);
  const { rows } = await sql<{
    readonly live: boolean;
    readonly dead: boolean;
    readonly stub_state: StubState;
    readonly entries: number;
    readonly bytes: number;
    readonly look_due: number;
    readonly stub_due: number;
  }>`
    select e.live, e.live and ${isDeadSql} as dead, e.stub_state, count(*) as entries,
      coalesce(sum(e.length), 0)::bigint as bytes,
      count(*) filter (where e.look_due) as look_due, count(*) filter (where e.stub_due) as stub_due
    from entries as e join ${lives(containers)} using (container_id)
    where e.account_id = ${accountId}
    group by 1, 2, 3`.execute(on);
  const byStub = Object.fromEntries(STUB_STATES.map((state) => [state, 0])) as Record<StubState, number>;
  const counts = { live: 0, tombstones: 0, dead: 0, lookDue: 0, stubDue: 0, bytes: 0, byStub };
  for (const row of rows) {
    counts.lookDue += row.look_due;
    counts.stubDue += row.stub_due;
    if (!row.live) counts.tombstones += row.entries;
    else if (row.dead) counts.dead += row.entries;
    else {
      counts.live += row.entries;
      counts.bytes += row.bytes;
      byStub[row.stub_state] += row.entries;
    }
  }
  return counts;
}

export interface ExplainRow extends EntryRow {
  readonly containerState: ContainerState;
  /** Computed, as of now. */
  readonly isLive: boolean;
  /** Why a look is due, and why it could not be had. */
  readonly lookReason: string | undefined;
  readonly lookError: string | undefined;
}

/** @returns undefined where the index has never heard of the key. */
export async function explainEntry(on: Queryable, accountId: number, key: Key): Promise<ExplainRow | undefined> {
  const containerState = (await containerStates(on, accountId, [key.container])).get(key.container);
  if (containerState === undefined) return undefined;
  const { head, tailHash } = storedName(key.name);
  const { rows } = await sql<Row & { readonly reason: string | null; readonly error: string | null }>`
    select ${ROW}, q.reason, q.error
    from entries as e
    left join sinks as s on s.id = e.sink_id
    left join looks as q on q.account_id = e.account_id and q.container_id = e.container_id and q.head = e.head
      and q.tail_hash = e.tail_hash
    where e.account_id = ${accountId} and e.container_id = ${containerState.id} and e.head = ${head}
      and e.tail_hash = decode(${tailHash}, 'hex')`.execute(on);
  const row = rows[0];
  if (row === undefined) return undefined;
  const entry = entryRowOf(key.container, row);
  return {
    ...entry,
    containerState,
    isLive: isLive(entry, containerState, containerState.margin),
    lookReason: row.reason ?? undefined,
    lookError: row.error ?? undefined,
  };
}

/** The sum of all revisions: it stands still exactly where no entry is written. */
export async function sumRevisions(on: Queryable, accountId: number): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    select coalesce(sum(revision), 0)::bigint as total from entries where account_id = ${accountId}`.execute(on);
  return rows[0]?.total ?? 0;
}
