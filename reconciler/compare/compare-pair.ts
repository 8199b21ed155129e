import { type RawBuilder, sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { plainArray, textArray } from '../../schema/index/arrays.ts';
import type { Tx } from '../../schema/index/database.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import { storedName } from '../../schema/index/names.ts';
import { blobTypeOf } from '../../schema/inventory/row.ts';
import type { Pair } from '../staging/partitions.ts';
import { LISTED_COLUMNS } from '../staging/staged-rows.ts';
import type { Staging } from '../staging/staging.ts';
import type { JudgedContainer } from './judged-container.ts';

/** What the comparison of a pair found, in names. */
export interface Compared {
  readonly listed: number;
  /** Listed, and as the index has them. */
  readonly agreed: number;
  /** Live in the index, of those that the judge may judge. */
  readonly live: number;
  readonly missing: number;
}

export interface Comparison {
  readonly pair: Pair;
  readonly accountId: number;
  readonly containers: readonly JudgedContainer[];
  /** Only entries that were seen before are missing. */
  readonly before: Timestamp;
  /** Types that the report is of, as its rule spells them; none means all. */
  readonly blobTypes: readonly string[];
  /** Whether a name that is not listed means anything. */
  readonly absence: boolean;
}

/** Of a hash join; what does not fit is joined in pieces on disk. */
const WORK_MEM = '128MB';

/**
 * Compares what is listed with the entries of the same partition, by one join that reads both whole: nearly every
 * row agrees, and agreeing rows are told apart by the join alone. It locks nothing.
 *
 * A name may be listed twice, which the join cannot see, but its numbers can: then it is done again, with the
 * version of each name that was modified last, as that was read last.
 */
export async function comparePair(tx: Tx, staging: Staging, of: Comparison): Promise<Compared> {
  await sql`select set_config('work_mem', ${WORK_MEM}, true), set_config('enable_mergejoin', 'off', true)`.execute(tx);
  await sql`savepoint compared`.execute(tx);
  const found = await compare(tx, staging, of, of.pair.listed);
  if (found.again === 0) return found;
  await sql`rollback to savepoint compared`.execute(tx);
  const folded = sql`(
    select distinct on (container_id, head, tail_hash) * from ${of.pair.listed}
    order by container_id, head, tail_hash, last_modified desc nulls last)`;
  return compare(tx, staging, of, folded);
}

const AGREES: RawBuilder<boolean> = sql.raw(`(
  l.part is not null and not e.look_due and coalesce(l.etag, e.etag) = e.etag and coalesce(l.length, e.length) = e.length
  and (l.blob_type is null or l.blob_type is not distinct from e.blob_type)
  and (l.last_modified is null or l.last_modified is not distinct from e.last_modified)
  and (l.content_type is null or l.content_type is not distinct from e.content_type)
  and (l.md5 is null or l.md5 is not distinct from e.md5)
  and (l.tier is null or l.tier is not distinct from e.tier)
  and (l.metadata is null or l.metadata is not distinct from e.metadata))`);

const KEY = ['container_id', 'head', 'tail', 'tail_hash'];
const COLUMNS = sql.raw(LISTED_COLUMNS.join(', '));
const UNLIKE = sql.raw(
  LISTED_COLUMNS.map((name) => (KEY.includes(name) ? `coalesce(l.${name}, e.${name}) as ${name}` : `l.${name}`)).join(),
);

/** @returns also how many of the listed rows name a blob again. */
async function compare(
  tx: Tx,
  staging: Staging,
  of: Comparison,
  listed: RawBuilder<unknown>,
): Promise<Compared & { readonly again: number }> {
  const live = sql`
    from ${of.pair.entries} e left join ${lives(of.containers)} on k.container_id = e.container_id
    where e.account_id = ${of.accountId} and e.live and not ${isDeadSql}`;
  const { rows } = await sql<Compared & { again: number }>`
    with scope as materialized (${scopeOf(of.containers)}),
    rows_of as materialized (select container_id, count(*) as n from ${listed} as l group by 1),
    unlike as materialized (
      select l.part is not null as is_listed, e.seen is not null as is_live, e.seen, e.blob_type as type_known, ${UNLIKE}
      from (select e.* ${live}) as e full join ${listed} as l
        on l.container_id = e.container_id and l.head = e.head and l.tail_hash = e.tail_hash
      where ${AGREES} is not true
    ), differing as (
      insert into ${staging.differing} (${COLUMNS}) select ${COLUMNS} from unlike where is_listed
    ), absent as (
      select * from unlike e
      where not is_listed and ${of.absence}::boolean and ${ofTypes(of.blobTypes)} and exists (
        select from scope r where r.container_id = e.container_id
          and (e.head, e.tail) >= (r.from_head, r.from_tail)
          and (r.to_head is null or (e.head, e.tail) < (r.to_head, r.to_tail)))
    ), missing as (
      insert into ${staging.missing} (container_id, head, tail, tail_hash)
      select container_id, head, tail, tail_hash from absent where seen < ${of.before}::bigint
    ), numbers as (
      select container_id, sum(n) as listed, sum(differing) as differing, sum(n - differing + live) as live,
        sum(missing) as missing
      from (
        select container_id, n, 0 as differing, 0 as live, 0 as missing from rows_of
        union all
        select container_id, 0, 1, is_live::int, 0 from unlike where is_listed
        union all
        select container_id, 0, 0, 1, (seen < ${of.before}::bigint)::int from absent
      ) as each group by 1
    ), tally as (
      insert into ${staging.tally} (container_id, listed, live, missing)
      select container_id, listed, live, missing from numbers where listed + live > 0
    )
    select coalesce(sum(listed), 0)::bigint as listed, coalesce(sum(listed - differing), 0)::bigint as agreed,
      coalesce(sum(live), 0)::bigint as live, coalesce(sum(missing), 0)::bigint as missing,
      -- Of an entry that is listed twice there are two rows, of a name without one as well.
      coalesce(sum(listed), 0)::bigint - (select count(*) from unlike where is_listed and not is_live)
        - (select count(*) ${live}) + (select count(*) from unlike where not is_listed)
        + (select count(*) - count(distinct (container_id, head, tail_hash)) from unlike where is_listed and not is_live)
        as again
    from numbers`.execute(tx);
  return rows[0] ?? { listed: 0, agreed: 0, live: 0, missing: 0, again: 0 };
}

/** The ranges of names that may be judged, of all containers. */
function scopeOf(containers: readonly JudgedContainer[]): RawBuilder<unknown> {
  const ranges = containers.flatMap(({ id, ranges }) =>
    ranges.map((range) => ({
      id,
      from: storedName(range.from),
      to: range.to === undefined ? undefined : storedName(range.to),
    })),
  );
  return sql`
    select * from unnest(
      ${plainArray(ranges.map(({ id }) => id))}::int[],
      ${textArray(ranges.map(({ from }) => from.head))}::text[], ${textArray(ranges.map(({ from }) => from.tail))}::text[],
      ${textArray(ranges.map(({ to }) => to?.head))}::text[], ${textArray(ranges.map(({ to }) => to?.tail))}::text[]
    ) as r (container_id, from_head, from_tail, to_head, to_tail)`;
}

const ALL_TYPES = ['BlockBlob', 'AppendBlob', 'PageBlob'];

/** A rule for some types of blobs says nothing of the others, nor of an entry whose type is not known. */
function ofTypes(blobTypes: readonly string[]): RawBuilder<unknown> {
  const listed = blobTypes.map((type) => blobTypeOf(type));
  if (listed.length === 0 || ALL_TYPES.every((type) => listed.some((each) => each === type))) return sql`true`;
  const known = listed.filter((type) => type !== undefined);
  return sql`(e.type_known is not null and e.type_known::text = any(${sql.val(known)}::text[]))`;
}
