import { sql } from 'kysely';
import type { BlobEvent } from '../../namespace/change.ts';
import type { RefuseReason } from '../../namespace/decision.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { compareUtf8, type Key } from '../../namespace/key.ts';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';
import { storedName } from './names.ts';
import { storableText } from './storable.ts';

/** A change that came from the side without authority (invariant 5), with both versions named. */
export interface Violation extends Key {
  readonly reason: RefuseReason;
  readonly source: string;
  readonly eventId: string;
  readonly api: string;
  readonly eventTime: Timestamp;
  /** The version that the change would have made, where it named one. */
  readonly changeEtag: string | undefined;
  readonly changeLength: number | undefined;
  /** The version that the index holds, where it holds one. */
  readonly entryEtag: string | undefined;
  readonly entryLength: number | undefined;
  readonly ruleRevision: number;
  readonly notedAt: Timestamp;
}

/** An event's id is part of an index; no source of ours writes longer ones. */
const INDEXED = 512;

/** An event that `decide` refuses. */
export interface Refused {
  readonly event: BlobEvent;
  readonly reason: RefuseReason;
}

/** Records violations; the same event told twice by one source is one. */
export async function recordViolations(
  tx: Tx,
  accountId: number,
  ruleRevision: number,
  refused: readonly Refused[],
): Promise<void> {
  if (refused.length === 0) return;
  // One order for all, so that two pages that tell the same wait for each other and never deadlock.
  const page = refused.toSorted((a, b) => compareUtf8(a.event.eventId, b.event.eventId));
  const events = page.map(({ event }) => event);
  const names = events.map((event) => storedName(event.name));
  await sql`
    insert into violations
      (account_id, container, name, reason, source, event_id, api, event_time, change_etag, change_length,
       entry_etag, entry_length, entry_revision, rule_revision, noted_at)
    select ${accountId}::int, x.container, x.head || x.tail, x.reason, x.source, x.event_id, x.api, x.event_time,
      x.change_etag, x.change_length, e.etag, e.length, e.revision, ${ruleRevision}::int, ${serverNow}
    from unnest(
      ${textArray(events.map((event) => event.container))}::text[],
      ${textArray(names.map((name) => name.head))}::text[],
      ${textArray(names.map((name) => name.tail))}::text[],
      ${textArray(names.map((name) => name.tailHash))}::text[],
      ${textArray(page.map(({ reason }) => reason))}::text[],
      ${plainArray(events.map((event) => event.source))}::change_source[],
      ${textArray(events.map((event) => storableText(event.eventId.slice(0, INDEXED))))}::text[],
      ${textArray(events.map((event) => storableText(event.api)))}::text[],
      ${plainArray(events.map((event) => event.time))}::bigint[],
      ${textArray(events.map((event) => event.attributes && storableText(event.attributes.etag)))}::text[],
      ${plainArray(events.map((event) => event.attributes?.length))}::bigint[]
    ) with ordinality as x
      (container, head, tail, tail_hash, reason, source, event_id, api, event_time, change_etag, change_length, ord)
    left join containers as c on c.account_id = ${accountId} and c.name = x.container
    left join lateral (
      select * from entries
      where account_id = ${accountId} and container_id = c.id and head = x.head
        and tail_hash = decode(x.tail_hash, 'hex')
      limit 1
    ) as e on true
    order by x.ord
    on conflict do nothing`.execute(tx);
}

/** Newest first. */
export async function recentViolations(on: Queryable, accountId: number, limit: number): Promise<readonly Violation[]> {
  const rows = await on
    .selectFrom('violations')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('noted_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    container: row.container,
    name: row.name,
    reason: row.reason as RefuseReason,
    source: row.source,
    eventId: row.event_id,
    api: row.api,
    eventTime: row.event_time,
    changeEtag: row.change_etag ?? undefined,
    changeLength: row.change_length ?? undefined,
    entryEtag: row.entry_etag ?? undefined,
    entryLength: row.entry_length ?? undefined,
    ruleRevision: row.rule_revision,
    notedAt: row.noted_at,
  }));
}

/** How many are kept. */
export async function countViolations(on: Queryable, accountId: number): Promise<number> {
  const row = await on
    .selectFrom('violations')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return row.count;
}
