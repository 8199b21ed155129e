import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Rule, RuleSet } from '../../namespace/rule.ts';
import { waitForPages } from './accounts.ts';
import { serverNow } from './clock.ts';
import type { Index, Queryable } from './database.ts';
import { transact } from './transact.ts';

/** Makes these rules the live ones: a new revision where they differ from the live ones, else the live one. Waits for pages in flight. */
export function publishRules(index: Index, accountId: number, rules: readonly Rule[], note: string): Promise<RuleSet> {
  const wanted = rules.map(({ prefix, authority, sink, stop }) => ({ prefix, authority, sink, ...(stop && { stop }) }));
  return transact(index, async (tx) => {
    // Of two publishers at once the second sees what the first made.
    await waitForPages(tx, accountId);
    const live = await liveRules(tx, accountId);
    if (live !== undefined && isDeepStrictEqual(live.rules, wanted)) return live;
    const revision = (live?.revision ?? 0) + 1;
    await sql`
      insert into authority_revisions (account_id, revision, rules, note, published_at)
      values (${accountId}, ${revision}, ${JSON.stringify(wanted)}::jsonb, ${note}, ${serverNow})`.execute(tx);
    await sql`update accounts set rule_revision = ${revision} where id = ${accountId}`.execute(tx);
    return { revision, rules: wanted };
  });
}

/**
 * When this index first had rules of the account: no two indexes have it in common, and a copy or a restore keeps it.
 *
 * @returns undefined where none was ever published.
 */
export async function firstPublished(on: Queryable, accountId: number): Promise<Timestamp | undefined> {
  const { rows } = await sql<{ published_at: Timestamp }>`
    select published_at from authority_revisions where account_id = ${accountId} and revision = 1`.execute(on);
  return rows[0]?.published_at;
}

/** @returns undefined where none was ever published. */
export async function liveRules(on: Queryable, accountId: number): Promise<RuleSet | undefined> {
  const { rows } = await sql<{ revision: number; rules: readonly Rule[] }>`
    select revision, rules from accounts join authority_revisions on account_id = id and revision = rule_revision
    where id = ${accountId}`.execute(on);
  return rows[0];
}

/** A revision, and since when it was live. */
export interface PublishedRules extends RuleSet {
  readonly publishedAt: Timestamp;
}

/** The newest revisions, newest first, back to the one that was live at this time; all of them without a time. */
export async function revisionsSince(
  on: Queryable,
  accountId: number,
  since: Timestamp | undefined,
  limit: number,
): Promise<readonly PublishedRules[]> {
  const { rows } = await sql<{ revision: number; rules: readonly Rule[]; published_at: number }>`
    select revision, rules, published_at from authority_revisions
    where account_id = ${accountId} and revision >= coalesce((
      select max(revision) from authority_revisions
      where account_id = ${accountId} and published_at <= ${since ?? null}::bigint), 0)
    order by revision desc limit ${limit}`.execute(on);
  return rows.map(({ revision, rules, published_at }) => ({ revision, rules, publishedAt: published_at }));
}
