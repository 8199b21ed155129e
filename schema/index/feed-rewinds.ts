import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Queryable } from './database.ts';

/** That the feed's cursor was set elsewhere, as the journal has it. */
export interface FeedRewind {
  /** Manifest of the segment that was being read; undefined where nothing had been read. */
  readonly from: string | undefined;
  /** Manifest of the segment that was read from then on. */
  readonly to: string;
  readonly reason: string;
  readonly rewoundAt: Timestamp;
}

/**
 * Newest first, as far back as the journal is kept. May read the account's whole journal: for a person who asks, not
 * for a loop.
 */
export async function readRewinds(on: Queryable, accountId: number, limit: number): Promise<readonly FeedRewind[]> {
  const { rows } = await sql<{ from: string | null; to: string; reason: string; noted_at: number }>`
    select detail #>> '{from,segment}' as "from", detail #>> '{to,segment}' as "to", detail ->> 'reason' as reason,
      noted_at
    from journal
    where account_id = ${accountId} and kind = 'feed-rewound'
    order by noted_at desc, id desc limit ${limit}`.execute(on);
  return rows.map(({ from, to, reason, noted_at }) => ({ from: from ?? undefined, to, reason, rewoundAt: noted_at }));
}
