import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { raiseHorizon, waitForPages } from './accounts.ts';
import type { Index } from './database.ts';
import { transact } from './transact.ts';

export interface PurgeBatch {
  readonly purged: number;
  /** Nothing older is left. */
  readonly done: boolean;
}

/**
 * Removes a batch of tombstones that were last written before this time, whose stub is gone and that no look waits for.
 * The horizon rises in the same transaction, so that a create older than a purged tombstone is looked at (invariant 2).
 */
export function purgeTombstones(
  index: Index,
  accountId: number,
  before: Timestamp,
  limit: number,
): Promise<PurgeBatch> {
  return transact(
    index,
    async (tx) => {
      // Those have read the old horizon.
      await waitForPages(tx, accountId);
      const { rows } = await sql<{ purged: number; newest: number | null }>`
      with old as (
        select account_id, container_id, head, tail_hash from entries
        where account_id = ${accountId} and not live and tombstone_at < ${before} and not stub_due and not look_due
        order by tombstone_at limit ${limit} for update skip locked
      ), gone as (
        delete from entries as e using old
        where e.account_id = ${accountId} and e.container_id = old.container_id and e.head = old.head
          and e.tail_hash = old.tail_hash
        returning greatest(e.seen, e.look) as told
      )
      select count(*) as purged, max(told) as newest from gone`.execute(tx);
      const { purged, newest } = rows[0] ?? { purged: 0, newest: null };
      if (newest !== null) await raiseHorizon(tx, accountId, newest);
      return { purged, done: purged < limit };
    },
    { byKey: true },
  );
}

/**
 * Removes a batch of directories that went, and were listed, before this time. What is told late of a name below one is
 * judged by it: the horizon rises in the same transaction, so that what is older is looked at from then on (invariant 2).
 */
export function purgeSubtrees(index: Index, accountId: number, before: Timestamp, limit: number): Promise<PurgeBatch> {
  return transact(index, async (tx) => {
    await waitForPages(tx, accountId);
    const { rows } = await sql<{ purged: number; newest: number | null }>`
      with gone as (
        delete from subtrees where id in (
          select id from subtrees where account_id = ${accountId} and event_time < ${before} and listed_at < ${before}
          order by event_time limit ${limit} for update skip locked
        )
        returning event_time
      )
      select count(*) as purged, max(event_time) as newest from gone`.execute(tx);
    const { purged, newest } = rows[0] ?? { purged: 0, newest: null };
    if (newest !== null) await raiseHorizon(tx, accountId, newest);
    return { purged, done: purged < limit };
  });
}

/** Removes a batch of journal rows and violations noted before this time, and of dead letters that were replayed or discarded before it. */
export function purgeJournal(index: Index, accountId: number, before: Timestamp, limit: number): Promise<PurgeBatch> {
  return transact(index, async (tx) => {
    let purged = 0;
    let done = true;
    for (const table of ['journal', 'violations'] as const) {
      const { numAffectedRows } = await sql`
        delete from ${sql.table(table)} where id in (
          select id from ${sql.table(table)} where account_id = ${accountId} and noted_at < ${before}
          order by noted_at limit ${limit} for update skip locked
        )`.execute(tx);
      purged += Number(numAffectedRows ?? 0n);
      done &&= Number(numAffectedRows ?? 0n) < limit;
    }
    // One that is open waits for somebody, however long.
    const { numAffectedRows } = await sql`
      delete from dead_letters where id in (
        select id from dead_letters where account_id = ${accountId} and state <> 'open' and settled_at < ${before}
        order by settled_at limit ${limit} for update skip locked
      )`.execute(tx);
    const letters = Number(numAffectedRows ?? 0n);
    return { purged: purged + letters, done: done && letters < limit };
  });
}

/** Findings that go in one transaction for each run that may: a run may have kept a million. */
const FINDINGS = 10;

/**
 * Removes a batch of runs and hydrations that ended before this time. The findings of a run go before it, in batches of
 * their own. The newest complete run of each judge and of each sink stays, over everything as well as over a prefix; so
 * does a run that waits for a person, however long: it has not ended.
 */
export function purgeRuns(index: Index, accountId: number, before: Timestamp, limit: number): Promise<PurgeBatch> {
  return transact(index, async (tx) => {
    const { rows } = await sql<{ id: number }>`
      select id from runs where account_id = ${accountId} and ended_at < ${before} and id not in (
        select max(id) from runs where account_id = ${accountId} and outcome = 'complete'
        group by judge, sink, prefix = ''
      )
      order by id limit ${limit} for update skip locked`.execute(tx);
    const old = rows.map(({ id }) => id);
    const most = limit * FINDINGS;
    const findings = await sql`
      delete from drift_findings where id in (
        select f.id from unnest(${old}::int[]) as run (id) cross join lateral (
          select id from drift_findings where run_id = run.id order by run_id, id limit ${most}
        ) as f limit ${most}
      )`.execute(tx);
    if (affected(findings) === most) return { purged: 0, done: false };
    const runs = await sql`delete from runs where id = any(${old}::int[])`.execute(tx);
    const hydrations = await sql`
      delete from hydrations where account_id = ${accountId} and request_id in (
        select request_id from hydrations where account_id = ${accountId} and ended_at < ${before}
        order by ended_at limit ${limit} for update skip locked
      )`.execute(tx);
    const counts = [runs, hydrations].map(affected);
    return { purged: counts.reduce((sum, count) => sum + count, 0), done: counts.every((count) => count < limit) };
  });
}

function affected({ numAffectedRows }: { readonly numAffectedRows?: bigint | undefined }): number {
  return Number(numAffectedRows ?? 0n);
}
