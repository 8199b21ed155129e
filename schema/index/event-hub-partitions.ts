import { type RawBuilder, sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable, Tx } from './database.ts';

/** One consumer group of one event hub. Offsets of another one mean nothing in it. */
export interface HubName {
  readonly namespace: string;
  readonly eventHub: string;
  readonly consumerGroup: string;
}

/** The last event of a partition that is applied. */
export interface HubPlace {
  /** Azure's own word for where it is; what is read next comes after it. */
  readonly offset: string;
  /** Contiguous in a partition, so that it tells whether something is missing. */
  readonly sequence: number;
  readonly enqueuedAt: Timestamp;
}

export interface HubPartition {
  readonly partition: string;
  /** Empty where nobody owns it. */
  readonly owner: string;
  /** Moves with every claim and every renewal. */
  readonly version: number;
  /** How long ago it was claimed or renewed, by the server's clock, in milliseconds. */
  readonly ownedForMs: number;
  /** Undefined: nothing of it was ever applied. */
  readonly place: HubPlace | undefined;
}

/** Every partition that was ever claimed. */
export async function readHubPartitions(
  on: Queryable,
  accountId: number,
  hub: HubName,
): Promise<readonly HubPartition[]> {
  const { rows } = await sql<PartitionRow>`
    select partition, owner, owner_version as version, ${serverNow} - owned_at as "ownedForMs",
      event_offset as "offset", sequence, enqueued_at as "enqueuedAt"
    from event_hub_partitions where ${ofHub(accountId, hub)} order by partition`.execute(on);
  return rows.map(({ partition, owner, version, ownedForMs, offset, sequence, enqueuedAt }) => ({
    ...{ partition, owner, version, ownedForMs },
    place: offset === null || sequence === null ? undefined : { offset, sequence, enqueuedAt: enqueuedAt ?? 0 },
  }));
}

interface PartitionRow {
  readonly partition: string;
  readonly owner: string;
  readonly version: number;
  readonly ownedForMs: number;
  readonly offset: string | null;
  readonly sequence: number | null;
  readonly enqueuedAt: number | null;
}

/**
 * Takes a partition, renews or gives it up (an empty owner), where its version still is `from` (undefined: nobody ever
 * had it). Its place stays.
 *
 * @returns the new version; undefined where somebody else was faster.
 */
export async function claimHubPartition(
  on: Queryable,
  accountId: number,
  hub: HubName,
  claim: { readonly partition: string; readonly owner: string; readonly from: number | undefined },
): Promise<number | undefined> {
  const { partition, owner, from } = claim;
  const { namespace, eventHub, consumerGroup } = hub;
  const { rows } = await (from === undefined
    ? sql<{ version: number }>`
        insert into event_hub_partitions
          (account_id, namespace, event_hub, consumer_group, partition, owner, owner_version, owned_at)
        values (${accountId}, ${namespace}, ${eventHub}, ${consumerGroup}, ${partition}, ${owner}, 1, ${serverNow})
        on conflict do nothing
        returning owner_version as version`
    : sql<{ version: number }>`
        update event_hub_partitions set owner = ${owner}, owner_version = owner_version + 1, owned_at = ${serverNow}
        where ${ofHub(accountId, hub)} and partition = ${partition} and owner_version = ${from}
        returning owner_version as version`
  ).execute(on);
  return rows[0]?.version;
}

/** Gives a partition up where this one still owns it. */
export async function releaseHubPartition(
  on: Queryable,
  accountId: number,
  hub: HubName,
  { partition, owner }: { readonly partition: string; readonly owner: string },
): Promise<void> {
  await sql`
    update event_hub_partitions set owner = '', owner_version = owner_version + 1, owned_at = ${serverNow}
    where ${ofHub(accountId, hub)} and partition = ${partition} and owner = ${owner}`.execute(on);
}

/** One partition's step over the events of a batch. */
export interface HubMove {
  readonly partition: string;
  /** The sequence number that its place must have; undefined: it was never applied. */
  readonly from: number | undefined;
  readonly to: HubPlace;
}

/**
 * Moves partitions over their events, each where its place is what it was when they were read (invariant 3).
 *
 * @returns the partitions that did not move: another one has applied their events. The caller rolls back.
 */
export async function moveHubPlaces(
  tx: Tx,
  accountId: number,
  hub: HubName,
  moves: readonly HubMove[],
): Promise<readonly string[]> {
  if (moves.length === 0) return [];
  // One order for all, so that two that move the same partitions wait for each other and never deadlock.
  const sorted = moves.toSorted((a, b) => (a.partition < b.partition ? -1 : 1));
  const page = sql`unnest(
      ${textArray(sorted.map(({ partition }) => partition))}::text[],
      ${plainArray(sorted.map(({ from }) => from))}::bigint[],
      ${textArray(sorted.map(({ to }) => to.offset))}::text[],
      ${plainArray(sorted.map(({ to }) => to.sequence))}::bigint[],
      ${plainArray(sorted.map(({ to }) => to.enqueuedAt))}::bigint[]
    ) as page (partition, from_sequence, event_offset, sequence, enqueued_at)`;
  const { rows } = await sql<{ partition: string }>`
    with held as (
      select partition, sequence from event_hub_partitions
      where ${ofHub(accountId, hub)} and partition = any(${textArray(sorted.map(({ partition }) => partition))}::text[])
      order by partition for no key update
    )
    update event_hub_partitions as kept set
      event_offset = page.event_offset, sequence = page.sequence, enqueued_at = page.enqueued_at, moved_at = ${serverNow}
    from ${page} join held using (partition)
    where ${ofHub(accountId, hub)} and kept.partition = page.partition
      and held.sequence is not distinct from page.from_sequence
    returning kept.partition`.execute(tx);
  const moved = new Set(rows.map(({ partition }) => partition));
  return sorted.filter(({ partition }) => !moved.has(partition)).map(({ partition }) => partition);
}

/** Forgets a place that means nothing any more, where it still is what it was: the partition is read from its oldest event. */
export async function forgetHubPlace(
  tx: Tx,
  accountId: number,
  hub: HubName,
  { partition, from }: { readonly partition: string; readonly from: number },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update event_hub_partitions set event_offset = null, sequence = null, enqueued_at = null, moved_at = ${serverNow}
    where ${ofHub(accountId, hub)} and partition = ${partition} and sequence = ${from}`.execute(tx);
  return numAffectedRows === 1n;
}

/** Events of an event hub that nobody can read any more: a hub that was made anew, or what retention removed. */
export interface HubLoss {
  readonly what: 'made-anew' | 'removed';
  readonly lastAt: Timestamp;
}

/** The last of each kind, of any hub. Reads the account's journal since then: for a person who asks, not for a loop. */
export async function readHubLosses(on: Queryable, accountId: number, since: Timestamp): Promise<readonly HubLoss[]> {
  const { rows } = await sql<HubLoss>`
    select case kind when 'event-hub-gap' then 'removed' else 'made-anew' end as what, max(noted_at) as "lastAt"
    from journal
    where account_id = ${accountId} and noted_at >= ${since} and kind in ('event-hub-made-anew', 'event-hub-gap')
    group by kind order by kind`.execute(on);
  return rows;
}

function ofHub(accountId: number, { namespace, eventHub, consumerGroup }: HubName): RawBuilder<boolean> {
  return sql<boolean>`account_id = ${accountId} and namespace = ${namespace} and event_hub = ${eventHub}
    and consumer_group = ${consumerGroup}`;
}
