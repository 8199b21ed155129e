import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { ClientBase } from 'pg';
import { compareUtf8 } from '../../namespace/key.ts';
import { pathOf } from '../../namespace/path.ts';
import { type KeySet, namesWithin } from '../../reconciler/scope/key-set.ts';
import { inRanges } from '../../reconciler/scope/range-sql.ts';
import { type ContainerRow, listContainers } from '../../schema/index/containers.ts';
import type { Index } from '../../schema/index/database.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import type { Difference, Version } from './difference.ts';

const FETCH = 1_000;

/**
 * Compares what is staged with the live entries (computed), container by container, set by set. One snapshot
 * of the index from the first container to the last; what is handed out is read a thousand at a time.
 *
 * @returns how many live entries were compared.
 */
export async function* compareSides(
  client: ClientBase,
  index: Index,
  accountId: number,
  keys: KeySet,
  signal: AbortSignal,
): AsyncGenerator<Difference, number> {
  const known = new Map((await listContainers(index.db, accountId)).map((container) => [container.name, container]));
  const staged = await client.query<{ container: string }>(
    'select container from source_side union select container from sink_side',
  );
  const names = new Set([...known.keys(), ...staged.rows.map(({ container }) => container)]);
  let entries = 0;
  await client.query('begin isolation level repeatable read');
  for (const name of [...names].toSorted(compareUtf8)) {
    signal.throwIfAborted();
    const live = liveEntries(accountId, known.get(name), name, keys);
    const counted = await run<{ count: number }>(client, index, sql`select count(*) as count from ${live} as e`);
    entries += counted[0]?.count ?? 0;
    yield* compareContainer(client, index, { accountId, container: known.get(name), name, live }, signal);
  }
  await client.query('commit');
  return entries;
}

interface Row {
  readonly head: string;
  readonly tail: string;
  readonly source_etag: string | null;
  readonly source_length: number | null;
  readonly index_etag: string | null;
  readonly index_length: number | null;
  readonly stub_state: string | null;
  readonly sink_etag: string | null;
  readonly sink_length: number | null;
  readonly sink_state: string | null;
  readonly stray: boolean;
  readonly has_live_below: boolean;
}

interface Compared {
  readonly accountId: number;
  readonly container: ContainerRow | undefined;
  readonly name: string;
  readonly live: RawBuilder<unknown>;
}

async function* compareContainer(
  client: ClientBase,
  index: Index,
  of: Compared,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  await run(client, index, sql`declare differing no scroll cursor for ${differing(of)}`);
  for (;;) {
    signal.throwIfAborted();
    const { rows } = await client.query<Row>(`fetch forward ${FETCH} from differing`);
    for (const row of rows) yield differenceOf(of.name, row);
    if (rows.length < FETCH) break;
  }
  await client.query('close differing');
}

/** The live entries of a container that are in scope, as a relation. */
function liveEntries(
  accountId: number,
  container: ContainerRow | undefined,
  name: string,
  keys: KeySet,
): RawBuilder<unknown> {
  if (container === undefined) {
    return sql`(select '' collate "C" as head, '' collate "C" as tail, ''::text as etag, 0::bigint as length, '' as stub_state where false)`;
  }
  return sql`(
    select e.head, e.tail, e.etag, e.length, e.stub_state::text as stub_state
    from entries e cross join ${lives([container])}
    where e.account_id = ${accountId} and e.container_id = ${container.id}
      and e.live and not ${isDeadSql} and ${inRanges(namesWithin(keys, name))})`;
}

function differing({ accountId, container, name, live }: Compared): RawBuilder<unknown> {
  // Names go to 1,024 characters: what starts with the name and a slash is a range of heads only below the cut.
  const below = container
    ? sql`exists (
        select from entries e cross join ${lives([container])}
        where e.account_id = ${accountId} and e.container_id = ${container.id} and d.tail = ''
          and e.head > d.head || '/' and e.head < d.head || '0' and e.live and not ${isDeadSql})`
    : sql`false`;
  return sql`
    select d.*, d.index_etag is not null and d.sink_state is null and ${below} as has_live_below
    from (
      select head, tail, s.etag as source_etag, s.length as source_length, e.etag as index_etag,
        e.length as index_length, e.stub_state, k.etag as sink_etag, k.length as sink_length, k.state as sink_state,
        false as stray
      from ${live} as e
        full join (select head, tail, etag, length from source_side where container = ${name}) as s using (head, tail)
        full join (
          select head, tail, etag, length, state from sink_side where container = ${name} and not stray
        ) as k using (head, tail)
      where not (
        s.etag is not null and s.etag = e.etag and s.length = e.length
          and coalesce(k.etag = e.etag and k.length = e.length and k.state <> 'foreign', false))
      union all
      select head, tail, null, null, null, null, null, etag, length, state, true from sink_side
      where container = ${name} and stray
    ) as d
    order by d.head, d.tail, d.stray`;
}

function differenceOf(container: string, row: Row): Difference {
  const key = { container, name: row.head + row.tail };
  const source = version(row.source_etag, row.source_length);
  const index = version(row.index_etag, row.index_length);
  const sink = version(row.sink_etag, row.sink_length);
  const sides = { key, source, index, sink };
  if (row.stray) return { ...sides, apart: false, what: 'a file of ours in a sink that its rule does not name' };
  const wrong: string[] = [];
  if (source === undefined && index !== undefined) wrong.push('the source does not have it');
  if (source !== undefined && index === undefined) wrong.push('the index does not have it');
  if (source !== undefined && index !== undefined && !same(source, index)) wrong.push('the index has another version');
  const hidden = index === undefined || sink !== undefined ? undefined : hiddenReason(container, row);
  if (hidden === undefined) wrong.push(...wrongInSink(index, sink, row.sink_state));
  if (wrong.length === 0) return { ...sides, apart: true, what: hidden ?? '' };
  return { ...sides, apart: false, what: wrong.join('; ') };
}

function wrongInSink(index: Version | undefined, sink: Version | undefined, state: string | null): readonly string[] {
  if (index === undefined) {
    if (sink === undefined) return [];
    return [state === 'foreign' ? 'the sink has a file that Isthmus did not make' : 'the sink has a file of it'];
  }
  if (sink === undefined) return ['the sink has no file of it'];
  if (state === 'foreign') return ['a file that Isthmus did not make stands in the sink'];
  return same(index, sink) ? [] : ['the sink has another version'];
}

/** Why the sink cannot show a live name, where it cannot. What the index says of its stub is not taken on trust. */
function hiddenReason(container: string, row: Row): string | undefined {
  const path = pathOf({ container, name: row.head + row.tail });
  if ('unrepresentable' in path) return `unrepresentable: ${path.unrepresentable}`;
  return row.has_live_below && row.stub_state === 'shadowed' ? 'shadowed by a directory of its name' : undefined;
}

function version(etag: string | null, length: number | null): Version | undefined {
  return length === null ? undefined : { etag, length };
}

function same(a: Version, b: Version): boolean {
  return a.etag === b.etag && a.length === b.length;
}

/** Sends what Kysely compiles through a connection of our own. */
async function run<T>(client: ClientBase, index: Index, query: RawBuilder<unknown>): Promise<T[]> {
  const compiled: CompiledQuery = query.compile(index.db);
  const { rows } = await client.query(compiled.sql, [...compiled.parameters]);
  return rows as T[];
}
