import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import { serverNow } from './clock.ts';
import { containerStates } from './containers.ts';
import type { Index } from './database.ts';
import { isDeadSql, lives } from './lives.ts';
import { keyArrays, pageKey } from './page-rows.ts';
import type { StubState } from './stubs.ts';
import { transact } from './transact.ts';

/** What an entry says of its stub, and whether anybody is about to write it. */
export interface StubEntry {
  /** Computed: false for a tombstone, and for an entry of a dead incarnation. */
  readonly live: boolean;
  readonly etag: string | undefined;
  readonly length: number | undefined;
  readonly revision: number;
  readonly seen: Timestamp;
  readonly source: string;
  /** The sink of its rule when it was last written; none where Isthmus kept no stub of it. */
  readonly sink: string | undefined;
  readonly lookDue: boolean;
  readonly due: boolean;
  readonly leased: boolean;
  /** Every claim, release and wish moves it. */
  readonly stubAt: Timestamp;
  readonly stubState: StubState;
  readonly detail: string | undefined;
}

/** What the entries of these keys say, by `container/name`; keys without an entry are absent. */
export async function readStubEntries(
  index: Index,
  accountId: number,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, StubEntry>> {
  const containers = await containerStates(index.db, accountId, [...new Set(keys.map(({ container }) => container))]);
  const known = keys.filter(({ container }) => containers.has(container));
  if (known.length === 0) return new Map();
  const page = keyArrays(known.map(({ container, name }) => pageKey(containers.get(container)?.id ?? 0, name)));
  const names = new Map([...containers].map(([name, { id }]) => [id, name]));
  const query = sql<Row>`
    select e.container_id, e.head || e.tail as name, s.name as sink, e.live and not ${isDeadSql} as live, e.etag, e.length,
      e.revision, e.seen, e.source, e.look_due, e.stub_due, e.stub_leased_until > ${serverNow} as leased, e.stub_at,
      e.stub_state, e.stub_detail
    from unnest(${page.containers}::int[], ${page.heads}::text[], ${page.hashes}::text[]) as x (container_id, head, tail_hash)
      join entries as e on e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex')
      join ${lives([...containers.values()])} on k.container_id = e.container_id
      left join sinks as s on s.id = e.sink_id`;
  const { rows } = await transact(index, (tx) => query.execute(tx), { byKey: true });
  return new Map(
    rows.map((row) => [formatKey({ container: names.get(row.container_id) ?? '', name: row.name }), entryOf(row)]),
  );
}

interface Row {
  readonly container_id: number;
  readonly name: string;
  readonly sink: string | null;
  readonly live: boolean;
  readonly etag: string | null;
  readonly length: number | null;
  readonly revision: number;
  readonly seen: number;
  readonly source: string;
  readonly look_due: boolean;
  readonly stub_due: boolean;
  readonly leased: boolean;
  readonly stub_at: number;
  readonly stub_state: StubState;
  readonly stub_detail: string | null;
}

function entryOf(row: Row): StubEntry {
  return {
    live: row.live,
    etag: row.etag ?? undefined,
    length: row.length ?? undefined,
    revision: row.revision,
    seen: row.seen,
    source: row.source,
    sink: row.sink ?? undefined,
    lookDue: row.look_due,
    due: row.stub_due,
    leased: row.leased,
    stubAt: row.stub_at,
    stubState: row.stub_state,
    detail: row.stub_detail ?? undefined,
  };
}
