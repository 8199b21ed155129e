import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { compareUtf8, formatKey, type Key } from '../../namespace/key.ts';
import type { SubtreeChange } from '../events/subtree.ts';
import { waitForPages } from './accounts.ts';
import { plainArray, textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import { ensureContainers } from './containers.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { storedName } from './names.ts';
import { storableText } from './storable.ts';
import { transact } from './transact.ts';

/** An event's id is part of an index; no source of ours writes longer ones. */
const INDEXED = 512;

/**
 * Notes directories that are no more, as work to be done, in the transaction of the batch that tells of them. One that
 * is told of again is one. @returns how many were not known.
 */
export async function noteSubtrees(tx: Tx, accountId: number, changes: readonly SubtreeChange[]): Promise<number> {
  if (changes.length === 0) return 0;
  // In one order for all, so that two batches that tell the same wait for each other and never deadlock.
  const page = changes.toSorted((a, b) => compareUtf8(a.eventId, b.eventId));
  const containers = await ensureContainers(tx, accountId, [...new Set(page.map(({ gone }) => gone.container))]);
  const names = page.map(({ gone }) => storedName(gone.name));
  const { numAffectedRows } = await sql`
    insert into subtrees
      (account_id, container_id, head, tail, tail_hash, to_container, to_name, recursive, event_time, event_id, api,
       noted_at, due_at)
    select ${accountId}::int, x.container_id, x.head, x.tail, decode(x.tail_hash, 'hex'), x.to_container, x.to_name,
      x.recursive, x.event_time, x.event_id, x.api, ${serverNow}, ${serverNow}
    from unnest(
      ${plainArray(page.map(({ gone }) => containers.get(gone.container)?.id))}::int[],
      ${textArray(names.map(({ head }) => head))}::text[],
      ${textArray(names.map(({ tail }) => tail))}::text[],
      ${textArray(names.map(({ tailHash }) => tailHash))}::text[],
      ${textArray(page.map(({ made }) => made?.container))}::text[],
      ${textArray(page.map(({ made }) => made?.name))}::text[],
      ${plainArray(page.map(({ recursive }) => recursive))}::boolean[],
      ${plainArray(page.map(({ time }) => time))}::bigint[],
      ${textArray(page.map(({ eventId }) => storableText(eventId.slice(0, INDEXED))))}::text[],
      ${textArray(page.map(({ api }) => storableText(api)))}::text[]
    ) with ordinality as x
      (container_id, head, tail, tail_hash, to_container, to_name, recursive, event_time, event_id, api, ord)
    order by x.ord
    on conflict (account_id, event_id) do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** A directory whose entries are to be gone through, claimed for a while. */
export interface SubtreeClaim {
  readonly id: number;
  /** Which claim of it this is: one that came later ends this one. */
  readonly claim: number;
}

/** Claims the oldest that is due, skipping those that others hold, and waits for the pages in flight. */
export async function claimSubtree(
  index: Index,
  accountId: number,
  leaseMs: number,
): Promise<SubtreeClaim | undefined> {
  const { rows } = await sql<SubtreeClaim>`
    update subtrees set due_at = ${serverNow} + ${leaseMs}::bigint, claim = claim + 1
    where id = (
      select id from subtrees where account_id = ${accountId} and worked_at is null and due_at <= ${serverNow}
      order by due_at, id limit 1 for update skip locked
    )
    returning id, claim`.execute(index.db);
  // One that has not read of the directory may leave an entry behind, below a name that the work has passed.
  if (rows.length > 0) await transact(index, (tx) => waitForPages(tx, accountId));
  return rows[0];
}

/** Ends a claim, so that what is left of the work need not wait for the end of its lease. One that was taken over is left alone. */
export async function releaseSubtree(index: Index, { id, claim }: SubtreeClaim): Promise<void> {
  await sql`
    update subtrees set due_at = ${serverNow}
    where id = ${id} and claim = ${claim} and worked_at is null`.execute(index.db);
}

/** A directory that was gone through and that no listing has confirmed. */
export interface UnlistedSubtree {
  readonly id: number;
  /** Plain prefixes of `container/name`: of the directory that is no more, and of the one that it became. */
  readonly prefixes: readonly string[];
  readonly requestedAt: Timestamp | undefined;
}

/** How long looks may keep the listing waiting. One that cannot be answered must not keep it for ever. */
const LOOKS_MS = 600_000;

/**
 * The oldest that wait for a listing. One is asked for once the looks are answered that its entries wanted: what they
 * find gone would else be missing from a listing of nothing, at which the guard stops.
 */
export async function unlistedSubtrees(
  on: Queryable,
  accountId: number,
  limit: number,
): Promise<readonly UnlistedSubtree[]> {
  const { rows } = await sql<{
    readonly id: number;
    readonly container: string;
    readonly name: string;
    readonly to_container: string | null;
    readonly to_name: string | null;
    readonly requested_at: number | null;
  }>`
    select s.id, c.name as container, s.head || s.tail as name, s.to_container, s.to_name, s.requested_at
    from subtrees as s join containers as c on c.account_id = s.account_id and c.id = s.container_id
    where s.account_id = ${accountId} and s.worked_at is not null and s.listed_at is null
      and (s.requested_at is not null or s.worked_at < ${serverNow} - ${LOOKS_MS}::bigint or s.worked_at < coalesce((
        -- Asked once for all of them: the looks that wait may be many.
        select min(queued_at) from looks where account_id = ${accountId} and reason = 'directory-gone'
      ), s.worked_at + 1))
    order by s.worked_at, s.id limit ${limit}`.execute(on);
  return rows.map((row) => {
    const gone = prefixOf({ container: row.container, name: row.name });
    const { to_container: container, to_name: name } = row;
    const prefixes = container === null || name === null ? [gone] : [gone, prefixOf({ container, name })];
    return { id: row.id, prefixes, requestedAt: row.requested_at ?? undefined };
  });
}

function prefixOf(directory: Key): string {
  return `${formatKey(directory)}/`;
}

/** Notes that listings of these were asked for: a run that begins from now on is one. Written before they are asked for. */
export async function noteListingRequested(on: Queryable, accountId: number, ids: readonly number[]): Promise<void> {
  await sql`
    update subtrees set requested_at = ${serverNow},
      after_run = coalesce(after_run, (select max(id) from runs where account_id = ${accountId}), 0)
    where account_id = ${accountId} and id = any(${plainArray(ids)}::bigint[]) and listed_at is null`.execute(on);
}

/** The listings could not be asked for: they are due again. */
export async function forgetListingRequested(on: Queryable, accountId: number, ids: readonly number[]): Promise<void> {
  await sql`
    update subtrees set requested_at = null
    where account_id = ${accountId} and id = any(${plainArray(ids)}::bigint[]) and listed_at is null`.execute(on);
}

/**
 * Ends those of which every prefix was listed by a run that began after they were gone through. A run that its guard
 * stopped has listed as well; what it left alone is the next inventory's. @returns how many.
 */
export async function endListed(on: Queryable, accountId: number): Promise<number> {
  const listed = (prefix: ReturnType<typeof sql>) => sql`exists (
      select from runs as r where r.account_id = s.account_id and r.id > s.after_run and r.judge = 'listing'
        and r.outcome in ('complete', 'guarded') and starts_with(${prefix}, r.prefix))`;
  const { numAffectedRows } = await sql`
    update subtrees as s set listed_at = ${serverNow}
    from containers as c
    where s.account_id = ${accountId} and s.after_run is not null and s.listed_at is null
      and c.account_id = s.account_id and c.id = s.container_id
      and ${listed(sql`c.name || '/' || s.head || s.tail || '/'`)}
      and (s.to_name is null or ${listed(sql`s.to_container || '/' || s.to_name || '/'`)})`.execute(on);
  return Number(numAffectedRows ?? 0n);
}

/** Directories that are still to be gone through or listed, counted no further than the limit. */
export async function countSubtrees(on: Queryable, accountId: number, limit: number): Promise<number> {
  const { rows } = await sql<{ readonly count: number }>`
    select count(*) as count from (
      select from subtrees where account_id = ${accountId} and listed_at is null limit ${limit}
    ) as open`.execute(on);
  return rows[0]?.count ?? 0;
}
