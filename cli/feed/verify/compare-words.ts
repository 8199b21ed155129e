import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { ClientBase } from 'pg';
import type { Account } from '../../../schema/index/accounts.ts';
import { type ContainerRow, listContainers } from '../../../schema/index/containers.ts';
import type { Index } from '../../../schema/index/database.ts';
import { isDeadOrUnsureSql, lives } from '../../../schema/index/lives.ts';
import type { Difference } from './finding.ts';

const FETCH = 1_000;

/** Keys of which the feed has a last word, by what the index makes of it. */
export interface WordCounts {
  /** The entry has this word's state, or a newer one. */
  agree: number;
  /** A look is due: nothing can be said before it is answered. */
  looksDue: number;
  /** Of a container's earlier incarnation, or older than a listing that has judged since: the index may have forgotten it. */
  past: number;
  differ: number;
}

type Verdict = 'agrees' | 'due' | 'past' | 'missing' | 'older' | 'contradicts' | 'unlooked';

const WHAT: Readonly<Record<Exclude<Verdict, 'agrees' | 'due' | 'past'>, string>> = {
  missing: 'the index has no entry of it',
  older: "the index has an older state than the feed's last word",
  contradicts: 'the index has another state at the same sequencer',
  unlooked: 'the blob was changed, and nobody has looked at it since',
};

const COUNTED: Readonly<Record<Verdict, keyof WordCounts>> = {
  agrees: 'agree',
  due: 'looksDue',
  past: 'past',
  missing: 'differ',
  older: 'differ',
  contradicts: 'differ',
  unlooked: 'differ',
};

interface Row {
  readonly container: string;
  readonly head: string;
  readonly tail: string;
  readonly verdict: Exclude<Verdict, 'agrees' | 'due' | 'past'>;
  readonly effect: string;
  readonly etag: string | null;
  readonly entry: string;
  readonly chunk: string;
  readonly chunk_offset: string;
  readonly record_index: number;
}

/**
 * Holds the last words against the entries in one statement, of one snapshot of the index, and hands out what differs
 * in key order, a thousand at a time.
 */
export async function* compareWords(
  client: ClientBase,
  index: Index,
  account: Account,
  counts: WordCounts,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  const containers = await listContainers(index.db, account.id);
  await run(client, index, sql`create temporary table feed_judged as ${judged(account, containers)}`);
  const { rows: tally } = await client.query<{ verdict: Verdict; keys: string }>(
    'select verdict, count(*) as keys from feed_judged group by verdict',
  );
  for (const { verdict, keys } of tally) counts[COUNTED[verdict]] += Number(keys);
  signal.throwIfAborted();
  await client.query('begin');
  await client.query(`
    declare differing no scroll cursor for
    select * from feed_judged where verdict not in ('agrees', 'due', 'past') order by container, head, tail`);
  for (;;) {
    signal.throwIfAborted();
    const { rows } = await client.query<Row>(`fetch forward ${FETCH} from differing`);
    for (const row of rows) yield differenceOf(row);
    if (rows.length < FETCH) break;
  }
  await client.query('commit');
}

function differenceOf(row: Row): Difference {
  const said = row.effect === 'delete' ? 'deleted' : `${row.effect === 'put' ? 'is' : 'changed to'} ${row.etag ?? '?'}`;
  return {
    kind: 'difference',
    key: { container: row.container, name: row.head + row.tail },
    chunk: row.chunk,
    offset: Number(row.chunk_offset),
    index: row.record_index,
    what: `${WHAT[row.verdict]} (the feed: ${said}; the index: ${row.entry})`,
  };
}

/**
 * Each last word with its verdict. Of an entry that is not believable, its look counts as `believable` has it. What a look found stands above every event that is
 * not later than it; what is older than the horizon was judged by a listing, and its tombstone may be purged.
 */
function judged({ id, horizon, margin }: Account, containers: readonly ContainerRow[]): RawBuilder<unknown> {
  const believable = sql`(trusted or source in ('feed', 'replay'))`;
  const settled = horizon === undefined ? sql`false` : sql`w.seen < ${horizon + margin}::bigint`;
  return sql`
    select w.container, w.head, w.tail, w.effect, w.etag, w.chunk, w.chunk_offset, w.record_index,
      case when e.head is null then 'nothing' when not e.live then 'a tombstone' else e.etag end as entry,
      case
        when w.dead then 'past'
        when e.head is null then case when ${settled} then 'past' else 'missing' end
        when e.look_due then 'due'
        when e.look is not null and w.seen <= e.look + ${margin}::bigint then 'agrees'
        when coalesce(w.epoch <> e.epoch, false) and w.epoch < e.epoch then 'agrees'
        when not coalesce(w.epoch <> e.epoch, false) and w.sequencer < e.sequencer then 'agrees'
        when not coalesce(w.epoch <> e.epoch, false) and w.sequencer = e.sequencer then
          case when w.effect = 'touch' or w.effect = 'put' and e.live and e.etag = w.etag
            or w.effect = 'delete' and not e.live then 'agrees' else 'contradicts' end
        when w.effect = 'touch' then case when coalesce(w.etag = e.etag, w.etag is null) then 'agrees' else 'unlooked' end
        else 'older'
      end as verdict
    from (
      select e.*, coalesce(${isDeadOrUnsureSql}, false) as dead
      from (
        select feed_words.*, containers.id as container_id, null::bigint as look
        from feed_words left join containers on containers.account_id = ${id} and containers.name = container
      ) as e left join ${lives(containers)} on k.container_id = e.container_id
    ) as w
    left join (
      select container_id, head, tail_hash, live, etag, epoch, look_due,
        case when ${believable} then sequencer end as sequencer,
        case when ${believable} then look else coalesce(look, seen) end as look
      from entries cross join (select triggers_distrusted_at is null as trusted from accounts where id = ${id}) as account
      where account_id = ${id}
    ) as e on e.container_id = w.container_id and e.head = w.head and e.tail_hash = w.tail_hash`;
}

/** Sends what Kysely compiles through a connection of our own. */
async function run<T>(client: ClientBase, index: Index, query: RawBuilder<unknown>): Promise<T[]> {
  const compiled: CompiledQuery = query.compile(index.db);
  const { rows } = await client.query(compiled.sql, [...compiled.parameters]);
  return rows as T[];
}
