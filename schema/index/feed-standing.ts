import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';

/** A shard's position, and when it last moved. */
export interface StandingShard {
  readonly chunk: string;
  /** Of the block that holds the next record, in bytes. */
  readonly offset: number;
  readonly movedAt: Timestamp;
}

/** Records that nobody can read any more, and that no reconcile has healed yet. */
export interface OpenGap {
  readonly id: number;
  /** The file that was to be read next. */
  readonly missing: string;
  readonly notedAt: Timestamp;
  /** When a reconcile was asked for. */
  readonly requestedAt: Timestamp | undefined;
}

/** How the feed of an account stands in the index, for who watches over it: nothing of it is a loop's own word. */
export interface FeedStanding {
  /** Path of the segment's manifest; undefined where the feed has never been read, or is to be read anew. */
  readonly segment: string | undefined;
  /** By the shard's path prefix. */
  readonly shards: Readonly<Record<string, StandingShard>>;
  /** When the cursor last moved, in any shard. */
  readonly movedAt: Timestamp | undefined;
  /** When the cursor was rewound, where nothing has moved it since; `movedAt` is no later then. */
  readonly rewoundAt?: Timestamp | undefined;
  /** Oldest first, and no more than a few. */
  readonly openGaps: readonly OpenGap[];
  readonly openGapCount: number;
  /** Bad blocks that an operator skipped. */
  readonly skips: number;
  /** Since when triggers are not applied, where they were caught naming other sequencers than the feed. */
  readonly distrustedAt: Timestamp | undefined;
  /** When the rules that are live were published: by then somebody wanted the feed to be read. */
  readonly wantedSince: Timestamp | undefined;
}

const GAPS_SHOWN = 5;

/** Two small statements, cheap enough for every few seconds. */
export async function readFeedStanding(on: Queryable, accountId: number): Promise<FeedStanding> {
  const [places, { rows: gaps }] = await Promise.all([
    sql<PlaceRow>`
      select nullif(c.segment, '') as segment, c.moved_at as "movedAt", s.shard, s.chunk, s.chunk_offset as "offset",
        s.moved_at as "shardMovedAt", a.triggers_distrusted_at as "distrustedAt",
        -- Noted in the transaction that set the cursor; a minute of the journal is enough to find it.
        (select max(noted_at) from journal as j
          where j.account_id = a.id and j.kind = 'feed-rewound'
            and j.noted_at between c.moved_at and c.moved_at + 60000) as "rewoundAt",
        (select published_at from authority_revisions as r
          where r.account_id = a.id and r.revision = a.rule_revision) as "wantedSince",
        (select count(*) from feed_skips as k where k.account_id = a.id) as skips
      from accounts as a
      left join feed_cursors as c on c.account_id = a.id
      left join feed_shards as s on s.account_id = a.id
      where a.id = ${accountId} order by s.shard`.execute(on),
    sql<GapRow>`
      select id, missing, noted_at as "notedAt", requested_at as "requestedAt", count(*) over () as total
      from feed_gaps where account_id = ${accountId} and healed_at is null
      order by noted_at, id limit ${GAPS_SHOWN}`.execute(on),
  ]);
  const first = places.rows[0];
  const shards: Record<string, StandingShard> = {};
  let movedAt = first?.movedAt ?? undefined;
  for (const { shard, chunk, offset, shardMovedAt } of places.rows) {
    if (shard === null) continue;
    shards[shard] = { chunk, offset, movedAt: shardMovedAt };
    movedAt = Math.max(movedAt ?? 0, shardMovedAt);
  }
  const rewoundAt = first?.rewoundAt ?? undefined;
  return {
    segment: first?.segment ?? undefined,
    shards,
    movedAt,
    rewoundAt: rewoundAt !== undefined && rewoundAt >= (movedAt ?? 0) ? rewoundAt : undefined,
    openGaps: gaps.map(({ id, missing, notedAt, requestedAt }) => ({
      ...{ id, missing, notedAt },
      requestedAt: requestedAt ?? undefined,
    })),
    openGapCount: gaps[0]?.total ?? 0,
    skips: first?.skips ?? 0,
    distrustedAt: first?.distrustedAt ?? undefined,
    wantedSince: first?.wantedSince ?? undefined,
  };
}

interface PlaceRow {
  readonly segment: string | null;
  readonly movedAt: number | null;
  readonly rewoundAt: number | null;
  readonly shard: string | null;
  readonly chunk: string;
  readonly offset: number;
  readonly shardMovedAt: number;
  readonly distrustedAt: number | null;
  readonly wantedSince: number | null;
  readonly skips: number;
}

interface GapRow {
  readonly id: number;
  readonly missing: string;
  readonly notedAt: number;
  readonly requestedAt: number | null;
  readonly total: number;
}
