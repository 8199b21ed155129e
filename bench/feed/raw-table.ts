import { type RawBuilder, sql } from 'kysely';
import type { BlobEvent } from '../../namespace/change.ts';
import { plainArray, textArray } from '../../schema/index/arrays.ts';
import type { Index } from '../../schema/index/database.ts';
import { storedName } from '../../schema/index/names.ts';

/** A page of rows as one statement, its arrays encoded already. */
export interface RawPage {
  readonly rows: number;
  readonly statement: RawBuilder<unknown>;
}

const TABLE = 'bench_raw_entries';
const COLUMNS = `account_id, container_id, head, tail, tail_hash, live, etag, length, blob_type, content_type, sequencer,
  epoch, seen, revision, source, event_id, event_time, rule_revision, changed_at, sink_id, stub_due, stub_at`;
const KEY = 'account_id, container_id, head, tail_hash';

/** Makes an empty table of the columns, indexes, partitions and storage settings that `entries` has now, by the catalog's word. */
export async function makeRawTable(index: Index): Promise<void> {
  await sql.raw(`drop table if exists ${TABLE}`).execute(index.db);
  const { rows: parents } = await sql<{ key: string }>`
    select pg_get_partkeydef('entries'::regclass) as key`.execute(index.db);
  const { rows: parts } = await sql<{ bound: string; options: string[] | null }>`
    select pg_get_expr(c.relpartbound, c.oid) as bound, c.reloptions as options
    from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'entries'::regclass order by c.relname`.execute(index.db);
  await sql
    .raw(`create table ${TABLE} (like entries including all) partition by ${parents[0]?.key ?? ''}`)
    .execute(index.db);
  for (const [at, { bound, options }] of parts.entries()) {
    const settings = options === null ? '' : `with (${options.join(', ')})`;
    await sql.raw(`create table ${TABLE}_${at} partition of ${TABLE} ${bound} ${settings}`).execute(index.db);
  }
}

/**
 * The newest of each name of a page, in key order, by a plain upsert: no rules, no clocks, no looks, no cursor.
 * `newer`: only over what is older, so that the same page again changes nothing.
 */
export function rawPage(events: readonly BlobEvent[], containers: Map<string, number>, newer: boolean): RawPage {
  const newest = new Map(events.map((event) => [`${event.container}/${event.name}`, event]));
  const rows = [...newest.values()]
    .map((event) => ({ event, container: containerId(containers, event.container), ...storedName(event.name) }))
    .sort((a, b) => a.container - b.container || (a.head < b.head ? -1 : 1));
  const events_ = rows.map(({ event }) => event);
  const of = <T>(pick: (event: BlobEvent) => T) => events_.map(pick);
  const overwritten = COLUMNS.split(',')
    .map((column) => column.trim())
    .filter((column) => !KEY.split(', ').includes(column) && column !== 'revision')
    .map((column) => `${column} = excluded.${column}`);
  const statement = sql`
    insert into ${sql.raw(TABLE)} as e (${sql.raw(COLUMNS)})
    select 1, x.container, x.head, x.tail, decode(x.tail_hash, 'hex'), x.live, x.etag, x.length, x.blob_type,
      x.content_type, decode(x.sequencer, 'hex'), decode(x.epoch, 'hex'), x.seen, 1, 'feed', x.event_id, x.seen, 1,
      n.now, 1, true, n.now
    from (select (extract(epoch from now()) * 1000)::bigint as now offset 0) as n, unnest(
      ${plainArray(rows.map(({ container }) => container))}::int[], ${textArray(rows.map(({ head }) => head))}::text[],
      ${textArray(rows.map(({ tail }) => tail))}::text[], ${textArray(rows.map(({ tailHash }) => tailHash))}::text[],
      ${plainArray(of(({ effect }) => effect === 'put'))}::boolean[],
      ${textArray(of(({ attributes }) => attributes?.etag))}::text[],
      ${plainArray(of(({ attributes }) => attributes?.length))}::bigint[],
      ${plainArray(of(({ attributes }) => attributes?.blobType))}::blob_type[],
      ${textArray(of(({ attributes }) => attributes?.contentType))}::text[],
      ${plainArray(of(({ sequencer }) => sequencer))}::text[], ${plainArray(of(({ epoch }) => epoch))}::text[],
      ${plainArray(of(({ time }) => time))}::bigint[], ${textArray(of(({ eventId }) => eventId))}::text[]
    ) as x (container, head, tail, tail_hash, live, etag, length, blob_type, content_type, sequencer, epoch, seen, event_id)
    on conflict (${sql.raw(KEY)}) do update set ${sql.raw(overwritten.join(', '))}, revision = e.revision + 1
    where ${newer ? sql`excluded.sequencer > e.sequencer` : sql`true`}`;
  return { rows: events.length, statement };
}

function containerId(containers: Map<string, number>, name: string): number {
  const id = containers.get(name) ?? containers.size + 1;
  containers.set(name, id);
  return id;
}
