import { sql } from 'kysely';
import type { BlobType, Timestamp } from '../../namespace/entry.ts';
import type { ContainerRow } from '../../schema/index/containers.ts';
import type { Queryable, Tx } from '../../schema/index/database.ts';
import { attributesOf, type EntryColumns, knownAttributes } from '../../schema/index/entry-row.ts';
import { isDeadSql, lives } from '../../schema/index/lives.ts';
import type { IndexedVersion, PartialVersion } from '../causes/finding-of.ts';
import type { Staging } from '../staging/staging.ts';

/** Rows that are judged in one transaction. */
const PIECE = 5_000;

/** A row that differed when it was compared, beside its entry as it is now. */
export interface DifferingRow {
  readonly name: string;
  readonly head: string;
  readonly hash: string;
  /** What the judge saw; a report may leave parts of it out. */
  readonly seen: PartialVersion;
  /** The server's time of the page of List Blobs; undefined in a report. */
  readonly listedAt: Timestamp | undefined;
  /** Undefined where there is no entry. A dead one counts as no tombstone. */
  readonly entry: IndexedVersion | undefined;
  /**
   * `agreed`: nothing to do. `newer`: the entry's version began after the one that was listed, and the judge may
   * have read the blob before. `due`: a look is on its way and will tell more than the judge; `again` where a
   * judge has asked for it. `fill`: the same version, of which more is told. `new`: no entry, and a page of List
   * Blobs is as good as a look. `look`: another version, which a look decides about; `partly` where the judge
   * tells too little of it to be held against the entry.
   */
  readonly verdict: 'agreed' | 'newer' | 'due' | 'again' | 'fill' | 'new' | 'look' | 'partly';
}

interface Row {
  readonly head: string;
  readonly tail: string;
  readonly hash: string;
  readonly etag: string | null;
  readonly length: number | null;
  readonly last_modified: number | null;
  readonly blob_type: BlobType | null;
  readonly content_type: string | null;
  readonly md5: string | null;
  readonly tier: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly listed_at: number | null;
  readonly entry: Omit<EntryColumns, 'sequencer' | 'epoch'> | null;
  readonly verdict: DifferingRow['verdict'];
}

/** The containers that have rows that differ. */
export async function differingContainers(on: Queryable, staging: Staging): Promise<ReadonlySet<number>> {
  await staging.assertKept(on);
  const { rows } = await sql<{ id: number }>`select distinct container_id as id from ${staging.differing}`.execute(on);
  return new Set(rows.map(({ id }) => id));
}

/** The next rows of one container that differ, in key order after this place. */
export async function readDiffering(
  tx: Tx,
  staging: Staging,
  of: {
    readonly accountId: number;
    readonly container: ContainerRow;
    readonly from: Timestamp;
    readonly after: { readonly head: string; readonly hash: string };
  },
): Promise<readonly DifferingRow[]> {
  const { accountId, container, from, after } = of;
  const margin = sql`${container.margin}::bigint`;
  const { rows } = await sql<Row>`
    with page as (
      select * from ${staging.differing}
      where container_id = ${container.id} and (head, tail_hash) > (${after.head}, decode(${after.hash}, 'hex'))
      order by head, tail_hash limit ${PIECE}
    )
    select p.head, p.tail, encode(p.tail_hash, 'hex') as hash, p.etag, p.length, p.last_modified, p.blob_type,
      p.content_type, p.md5, p.tier, p.metadata, p.listed_at,
      case when e.revision is not null then json_build_object(
        'live', e.live, 'etag', e.etag, 'length', e.length, 'blob_type', e.blob_type, 'last_modified', e.last_modified,
        'content_type', e.content_type, 'md5', e.md5, 'tier', e.tier, 'metadata', e.metadata, 'seen', e.seen,
        'source', e.source) end as entry,
      case
        when e.live and not e.look_due and not ${isDeadSql}
          and coalesce(p.etag, e.etag) = e.etag and coalesce(p.length, e.length) = e.length
          and (p.blob_type is null or p.blob_type is not distinct from e.blob_type)
          and (p.last_modified is null or p.last_modified is not distinct from e.last_modified)
          and (p.content_type is null or p.content_type is not distinct from e.content_type)
          and (p.md5 is null or p.md5 is not distinct from e.md5)
          and (p.tier is null or p.tier is not distinct from e.tier)
          and (p.metadata is null or p.metadata is not distinct from e.metadata) then 'agreed'
        when p.etag is distinct from e.etag and p.last_modified + ${margin} < e.seen
          and e.seen + ${margin} > coalesce(p.listed_at, ${from}::bigint) then 'newer'
        when e.look_due then case when q.reason in ('listed-differs', 'not-listed') then 'again' else 'due' end
        when p.etag is null or p.length is null then case
          when e.live and not ${isDeadSql}
            and coalesce(p.etag, e.etag) = e.etag and coalesce(p.length, e.length) = e.length
            and (p.last_modified is null or e.last_modified is null or p.last_modified = e.last_modified)
            then 'agreed'
          else 'partly' end
        when e.live and not ${isDeadSql} and p.etag = e.etag and p.length = e.length
          and coalesce(p.tier, e.tier) is not distinct from coalesce(e.tier, p.tier) then 'fill'
        when e.revision is null and p.listed_at is not null then 'new'
        else 'look'
      end as verdict
    from page p cross join ${lives([container])}
      left join entries e on e.account_id = ${accountId} and e.container_id = ${container.id}
        and e.head = p.head and e.tail_hash = p.tail_hash
      left join looks q on q.account_id = ${accountId} and q.container_id = ${container.id}
        and q.head = p.head and q.tail_hash = p.tail_hash
    order by p.head, p.tail_hash`.execute(tx);
  return rows.map(differingOf);
}

function differingOf(row: Row): DifferingRow {
  const { head, tail, hash, verdict, entry } = row;
  return {
    ...{ head, hash, verdict, name: head + tail },
    seen: knownAttributes(row),
    listedAt: row.listed_at ?? undefined,
    entry:
      entry === null ? undefined : { ...attributesOf(entry), live: entry.live, seen: entry.seen, source: entry.source },
  };
}
