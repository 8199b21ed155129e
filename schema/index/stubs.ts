import { sql } from 'kysely';
import type { RuleIndex } from '../../namespace/authority.ts';
import type { Attributes } from '../../namespace/entry.ts';
import { compareKeys, type Key } from '../../namespace/key.ts';
import { isLive } from '../../namespace/liveness.ts';
import { stubSink } from '../../namespace/rule.ts';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import { containerStates } from './containers.ts';
import type { Index, Queryable } from './database.ts';
import { ENTRY_COLUMNS, type EntryColumns, entryOf } from './entry-row.ts';
import { isDeadSql, lives } from './lives.ts';
import { inPrefix } from './name-range.ts';
import { keyArrays, pageKey } from './page-rows.ts';
import { ensureSinks } from './sinks.ts';
import { isStorableKey, storableText } from './storable.ts';
import { searchByKey, transact } from './transact.ts';

/** What stands in the sink for an entry, as far as the last writer told. */
export const STUB_STATES = ['none', 'stub', 'hydrated', 'shadowed', 'unrepresentable', 'conflict', 'failed'] as const;
export type StubState = (typeof STUB_STATES)[number];

/** The stub of this key is behind its entry. It names no action: the stub is a function of the entry (invariant 6). */
export interface StubTask {
  readonly key: Key;
  readonly revision: number;
  /** Computed: false for a tombstone, and for an entry whose container's incarnation is dead. */
  readonly live: boolean;
  readonly attributes: Attributes | undefined;
  readonly stubState: StubState;
  readonly stubEtag: string | undefined;
  /** How often in a row this task has failed. */
  readonly tries: number;
  /** Which claim this is: handed back with the result, so that a release cannot hide that the task was made due or claimed anew meanwhile. */
  readonly lease: number;
  /** Where directories were renamed lately: names that a live one may have had before, and that a dead one may have now. */
  readonly otherNames?: readonly Key[] | undefined;
}

/** Whether the stub of entry `e` is due or somebody writes it. */
export const isOnItsWaySql = sql<boolean>`(e.stub_due or e.stub_leased_until > ${serverNow})`;

export interface StubClaim {
  readonly accountId: number;
  readonly sink: string;
  readonly limit: number;
  readonly leaseMs: number;
  /** The live rules: what another sink's rule rules by now is handed over to it, and what none of Blob's rules is dropped. */
  readonly rules: RuleIndex;
}

type ClaimedRow = EntryColumns & {
  readonly container: string;
  readonly stub_state: StubState;
  readonly stub_etag: string | null;
  readonly stub_tries: number;
  readonly stub_leased_until: number;
};

/** Claims stub tasks of one sink, oldest first, in key order within the answer, skipping those that others hold. They come again after the lease. */
export async function claimStubs(index: Index, claim: StubClaim): Promise<readonly StubTask[]> {
  const { accountId, sink, limit, leaseMs, rules } = claim;
  const sinkId = (await ensureSinks(index.db, accountId, [sink])).get(sink);
  const claimed = sql<ClaimedRow>`
    with due as (
      select account_id, container_id, head, tail_hash from entries
      where account_id = ${accountId} and sink_id = ${sinkId} and stub_due and stub_at <= ${serverNow}
        and stub_leased_until <= ${serverNow}
      order by stub_at limit ${limit} for update skip locked
    )
    update entries as e set
      stub_at = ${serverNow} + ${leaseMs}::bigint, stub_leased_until = ${serverNow} + ${leaseMs}::bigint
    from due, containers as c
    where e.account_id = ${accountId} and e.container_id = due.container_id and e.head = due.head
      and e.tail_hash = due.tail_hash and c.account_id = ${accountId} and c.id = due.container_id
    returning c.name as container, ${sql.raw(ENTRY_COLUMNS)}, e.stub_state, e.stub_etag, e.stub_tries,
      e.stub_leased_until`;
  const { rows } = await transact(index, (tx) => claimed.execute(tx), { byKey: true });
  const states = await containerStates(index.db, accountId, [...new Set(rows.map((row) => row.container))]);

  const tasks: StubTask[] = [];
  const misplaced: Misplaced[] = [];
  for (const row of rows) {
    const entry = entryOf(row.container, row);
    const { container, name, revision, provenance } = entry;
    // Events carry no Last-Modified; theirs is the nearest time until a look or a listing tells it.
    const attributes = entry.attributes && {
      ...entry.attributes,
      lastModified: entry.attributes.lastModified ?? provenance.time,
    };
    const key = { container, name };
    const ruled = stubSink(rules.match(key));
    if (ruled !== sink) {
      misplaced.push({ key, revision, sink: ruled });
      continue;
    }
    const state = states.get(container);
    const live = state !== undefined && isLive(entry, state, state.margin);
    const stubEtag = row.stub_etag ?? undefined;
    const { stub_state: stubState, stub_tries: tries, stub_leased_until: lease } = row;
    tasks.push({ key, revision, live, attributes, stubState, stubEtag, tries, lease });
  }
  await handOver(index, accountId, misplaced);
  return tasks.toSorted((a, b) => compareKeys(a.key, b.key));
}

interface Misplaced {
  readonly key: Key;
  readonly revision: number;
  /** The sink that the rule names now; none: Isthmus has no stub to keep there. */
  readonly sink: string | undefined;
}

async function handOver(index: Index, accountId: number, misplaced: readonly Misplaced[]): Promise<void> {
  if (misplaced.length === 0) return;
  await transact(
    index,
    async (tx) => {
      const sinks = await ensureSinks(tx, accountId, [...new Set(misplaced.flatMap(({ sink }) => sink ?? []))]);
      const page = await lockKeys(tx, accountId, misplaced);
      await sql`
      update entries as e set
        sink_id = x.sink_id, stub_due = x.sink_id is not null, stub_at = ${serverNow}, stub_leased_until = 0, stub_tries = 0
      from unnest(
        ${page.containers}::int[], ${page.heads}::text[], ${page.hashes}::text[],
        ${plainArray(page.sorted.map(({ revision }) => revision))}::bigint[],
        ${plainArray(page.sorted.map(({ sink }) => sinks.get(sink ?? '')))}::smallint[]
      ) as x (container_id, head, tail_hash, revision, sink_id)
      where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex') and e.revision = x.revision`.execute(tx);
    },
    { byKey: true },
  );
}

export interface StubResult {
  readonly key: Key;
  /** The revision that was claimed. Where the entry has moved since, the task stays due and the result is dropped. */
  readonly revision: number;
  /** The claim's. Where another claim or a wish came since, the state is written and the task stays due. Without it the result ends every wish. */
  readonly lease?: number | undefined;
  readonly state: StubState;
  readonly etag?: string | undefined;
  readonly detail?: string | undefined;
  /** The task stays due and comes again after this many milliseconds. */
  readonly retryInMs?: number | undefined;
}

/**
 * Writes what became of the stubs. Where another has taken the claim over, its write may have come before this
 * one's: the task is due once more, so that a late write cannot leave a wrong stub behind an empty queue.
 *
 * @returns how many results were taken; the others lost to a moved revision and are due at once.
 */
export function releaseStubs(index: Index, accountId: number, results: readonly StubResult[]): Promise<number> {
  if (results.length === 0) return Promise.resolve(0);
  return transact(
    index,
    async (tx) => {
      const page = await lockKeys(tx, accountId, results);
      const text = (value: string | undefined) => (value === undefined ? undefined : storableText(value));
      const { rows } = await sql<{ taken: boolean }>`
      update entries as e set
        stub_due = e.sink_id is not null and (e.revision <> x.revision or coalesce(x.lease, 0) > 0 and e.stub_leased_until <> x.lease)
          or e.stub_due and e.stub_at <> coalesce(x.lease, e.stub_at)
          or x.retry_in is not null,
        stub_leased_until = case when e.stub_leased_until = coalesce(x.lease, e.stub_leased_until) then 0 else e.stub_leased_until end,
        stub_at = case
          when e.revision = x.revision and e.stub_at <> coalesce(x.lease, e.stub_at) and e.stub_due then e.stub_at
          else ${serverNow} + case when e.revision = x.revision then coalesce(x.retry_in, 0) else 0 end
        end,
        stub_tries = case when e.revision <> x.revision or x.retry_in is null then 0 else least(e.stub_tries + 1, 30000) end,
        stub_state = case when e.revision = x.revision then x.state else e.stub_state end,
        stub_revision = case when e.revision = x.revision then x.revision else e.stub_revision end,
        stub_etag = case when e.revision = x.revision then x.etag else e.stub_etag end,
        stub_detail = case when e.revision = x.revision then x.detail else e.stub_detail end
      from unnest(
        ${page.containers}::int[], ${page.heads}::text[], ${page.hashes}::text[],
        ${plainArray(page.sorted.map(({ revision }) => revision))}::bigint[],
        ${plainArray(page.sorted.map(({ state }) => state))}::stub_state[],
        ${textArray(page.sorted.map(({ etag }) => text(etag)))}::text[],
        ${textArray(page.sorted.map(({ detail }) => text(detail)))}::text[],
        ${plainArray(page.sorted.map(({ retryInMs }) => retryInMs && Math.trunc(retryInMs)))}::bigint[],
        ${plainArray(page.sorted.map(({ lease }) => lease))}::bigint[]
      ) as x (container_id, head, tail_hash, revision, state, etag, detail, retry_in, lease)
      where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex')
      returning e.revision = x.revision as taken`.execute(tx);
      return rows.filter(({ taken }) => taken).length;
    },
    { byKey: true },
  );
}

/** Ends claims of which nothing was begun, so that the tasks need not wait for the end of their lease. A claim that was taken over is left alone. */
export async function giveBackStubs(
  index: Index,
  accountId: number,
  tasks: readonly Pick<StubTask, 'key' | 'lease'>[],
): Promise<void> {
  if (tasks.length === 0) return;
  await transact(
    index,
    async (tx) => {
      const page = await lockKeys(tx, accountId, tasks);
      await sql`
      update entries as e set stub_at = ${serverNow}, stub_leased_until = 0
      from unnest(
        ${page.containers}::int[], ${page.heads}::text[], ${page.hashes}::text[],
        ${plainArray(page.sorted.map(({ lease }) => lease))}::bigint[]
      ) as x (container_id, head, tail_hash, lease)
      where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex') and e.stub_leased_until = x.lease`.execute(tx);
    },
    { byKey: true },
  );
}

/**
 * Makes stubs due again: those of a shadowed ancestor, for one. Keys without an entry are passed over.
 *
 * @param which `not-shadowed` passes over the dead and those that are written down as shadowed and are not due:
 *   for names that have just gained a live name below. @returns how many.
 */
export async function markStubsDue(
  on: Queryable,
  accountId: number,
  keys: readonly Key[],
  which: 'all' | 'not-shadowed' = 'all',
): Promise<number> {
  if (!on.isTransaction) return on.transaction().execute((tx) => markStubsDue(tx, accountId, keys, which));
  const storable = keys.filter(isStorableKey).map((key) => ({ key }));
  if (storable.length === 0) return 0;
  return searchByKey(on, async () => {
    const page = await lockKeys(on, accountId, storable);
    // The rule for directories above names: planning the update would cost more than finding that out.
    if (page.found === 0) return 0;
    const { numAffectedRows } = await sql`
      update entries as e set stub_due = true, stub_at = ${serverNow}, stub_tries = 0
      from unnest(${page.containers}::int[], ${page.heads}::text[], ${page.hashes}::text[])
        as x (container_id, head, tail_hash)
      where e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
        and e.tail_hash = decode(x.tail_hash, 'hex') and e.sink_id is not null
        and (${which === 'all'} or e.live and (e.stub_due or e.stub_state <> 'shadowed'))`.execute(on);
    return Number(numAffectedRows ?? 0n);
  });
}

/** Sorts by key and locks the entries in that order. `found` counts those that there are. */
async function lockKeys<T extends { readonly key: Key }>(tx: Queryable, accountId: number, items: readonly T[]) {
  const states = await containerStates(tx, accountId, [...new Set(items.map(({ key }) => key.container))]);
  const sorted = items.filter(({ key }) => states.has(key.container)).toSorted((a, b) => compareKeys(a.key, b.key));
  const arrays = keyArrays(sorted.map(({ key }) => pageKey(states.get(key.container)?.id ?? 0, key.name)));
  const { rows } = await sql`
    select 1 from unnest(${arrays.containers}::int[], ${arrays.heads}::text[], ${arrays.hashes}::text[])
      with ordinality as x (container_id, head, tail_hash, ord)
    join entries as e on e.account_id = ${accountId} and e.container_id = x.container_id and e.head = x.head
      and e.tail_hash = decode(x.tail_hash, 'hex')
    order by x.ord for update of e`.execute(tx);
  return { ...arrays, sorted, found: rows.length };
}

/** Whether a live entry's name starts with this one's and a slash. */
export async function hasLiveBelow(on: Queryable, accountId: number, key: Key): Promise<boolean> {
  const container = (await containerStates(on, accountId, [key.container])).get(key.container);
  if (container === undefined || !isStorableKey(key)) return false;
  const { rows } = await sql`
    select 1 from entries as e, ${lives([container])}
    where e.account_id = ${accountId} and e.container_id = ${container.id} and e.live and not ${isDeadSql}
      and ${inPrefix(`${key.name}/`)}
    order by e.head limit 1`.execute(on);
  return rows.length > 0;
}

export interface StubBacklog {
  readonly sink: string;
  readonly due: number;
  /** Of those, the ones that failed at least once. */
  readonly failing: number;
}

/** The stub tasks of every sink that has any. */
export async function countStubs(on: Queryable, accountId: number): Promise<readonly StubBacklog[]> {
  const { rows } = await sql<StubBacklog>`
    select s.name as sink, count(*) as due, count(*) filter (where e.stub_tries > 0) as failing
    from entries as e join sinks as s on s.id = e.sink_id
    where e.account_id = ${accountId} and e.stub_due
    group by s.name order by s.name`.execute(on);
  return rows;
}

/**
 * How long the stub task of these sinks that has waited longest without being begun has waited, in milliseconds; 0 where
 * none waits.
 */
export async function oldestStubMs(on: Queryable, accountId: number, sinks: readonly string[]): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    select max(${serverNow} - oldest.stub_at) as ms
    from sinks as s cross join lateral (
      select e.stub_at from entries as e
      where e.account_id = ${accountId} and e.sink_id = s.id and e.stub_due
      order by e.stub_at limit 1
    ) as oldest
    where s.account_id = ${accountId} and s.name = any(${textArray(sinks)}::text[])`.execute(on);
  return Math.max(0, rows[0]?.ms ?? 0);
}
