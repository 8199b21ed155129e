import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** What is counted at most: an exact number of more would take a second for each million. */
const MOST = 1_000_000;

/** How many entries the index has of the account, live or not. @returns `more` where it is more than was counted. */
export async function countForgotten(
  tx: Tx,
  accountId: number,
): Promise<{ readonly entries: number; readonly more: boolean }> {
  const { rows } = await sql<{ entries: number }>`
    select count(*) as entries
    from (select from entries where account_id = ${accountId} limit ${MOST + 1}) as e`.execute(tx);
  const entries = rows[0]?.entries ?? 0;
  return { entries: Math.min(entries, MOST), more: entries > MOST };
}

/**
 * Forgets what a judge and the feed give back: entries with their looks, directories that are worked off, runs with their
 * findings, gaps, hydrations. What nothing gives back stays: rules, dead letters, what was skipped or refused, the
 * journal, how far event hubs are read, and containers with their epochs.
 *
 * Whoever calls it waits for the pages in flight first.
 */
export async function discardAccount(tx: Tx, accountId: number): Promise<void> {
  const { rows } = await sql<{ alone: boolean }>`
    select not exists (select from accounts where id <> ${accountId}) as alone`.execute(tx);
  for (const table of ['entries', 'looks'].map((name) => sql.table(name))) {
    if (rows[0]?.alone === true) await sql`truncate ${table}`.execute(tx);
    else await sql`delete from ${table} where account_id = ${accountId}`.execute(tx);
  }
  for (const table of ['subtrees', 'feed_gaps', 'hydrations', 'runs'].map((name) => sql.table(name))) {
    await sql`delete from ${table} where account_id = ${accountId}`.execute(tx);
  }
}
