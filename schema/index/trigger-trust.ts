import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Sequencer } from '../../namespace/sequencer.ts';
import { waitForPages } from './accounts.ts';
import { serverNow } from './clock.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { recordJournal } from './journal.ts';
import { storableJson } from './storable.ts';
import { transact } from './transact.ts';

/** One change that trigger and feed told of with two sequencers. */
export interface ClockMismatch {
  readonly container: string;
  readonly name: string;
  readonly trigger: ClockWitness;
  readonly feed: ClockWitness;
}

/** What one of the two says. */
export interface ClockWitness {
  readonly eventId: string;
  readonly sequencer: Sequencer | undefined;
}

/** Whether an account's triggers are believed, and what that rests on. */
export interface TriggerTrust {
  /** The oldest event's time of all triggers that were ever applied; none: there were none. */
  readonly firstApplied: Timestamp | undefined;
  /** Changes that both told of with the same sequencer. A lower bound: what both tell is compared where it meets. */
  readonly agreed: number;
  readonly mismatched: number;
  /** The first mismatches. */
  readonly evidence: readonly ClockMismatch[];
  /** Since when no trigger is applied any more. */
  readonly distrustedAt: Timestamp | undefined;
  /** The feed is still to be set back to before the first trigger. */
  readonly rereadWanted: boolean;
}

/** What is known of the account's triggers, for `status`, for alarms and for the feed's tail. */
export async function readTriggerTrust(on: Queryable, accountId: number): Promise<TriggerTrust> {
  const row = await on
    .selectFrom('accounts')
    .leftJoin('trigger_trust', 'account_id', 'id')
    .select(['first_applied', 'agreed', 'mismatched', 'evidence', 'triggers_distrusted_at', 'reread_wanted'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  return {
    firstApplied: row?.first_applied ?? undefined,
    agreed: row?.agreed ?? 0,
    mismatched: row?.mismatched ?? 0,
    evidence: (row?.evidence ?? []) as readonly ClockMismatch[],
    distrustedAt: row?.triggers_distrusted_at ?? undefined,
    rereadWanted: row?.reread_wanted ?? false,
  };
}

/**
 * Notes the oldest of the triggers that a page has applied, in the page's own transaction: what the feed must be
 * read again from, should triggers turn out to lie. It only falls.
 */
export async function noteFirstApplied(tx: Tx, accountId: number, time: Timestamp): Promise<void> {
  await sql`
    insert into trigger_trust (account_id, first_applied, updated_at) values (${accountId}, ${time}, ${serverNow})
    on conflict (account_id) do update set
      first_applied = least(trigger_trust.first_applied, excluded.first_applied), updated_at = excluded.updated_at`.execute(
    tx,
  );
}

/** Counts agreements. Not in a page's transaction: pages of different shards would wait for each other. */
export async function addAgreements(on: Queryable, accountId: number, agreed: number): Promise<void> {
  if (agreed === 0) return;
  await sql`
    insert into trigger_trust (account_id, agreed, updated_at) values (${accountId}, ${agreed}, ${serverNow})
    on conflict (account_id) do update set
      agreed = trigger_trust.agreed + excluded.agreed, updated_at = excluded.updated_at`.execute(on);
}

/**
 * Writes mismatches down, in the transaction of the page that met them, so that no crash can lose what `distrust`
 * acts upon. The first evidence stays.
 */
export async function recordMismatches(
  tx: Tx,
  accountId: number,
  page: { readonly mismatched: number; readonly mismatches: readonly ClockMismatch[] },
): Promise<void> {
  if (page.mismatched === 0) return;
  await sql`
    insert into trigger_trust (account_id, mismatched, evidence, updated_at)
    values (${accountId}, ${page.mismatched}, ${storableJson(page.mismatches)}::jsonb, ${serverNow})
    on conflict (account_id) do update set
      mismatched = trigger_trust.mismatched + excluded.mismatched,
      evidence = coalesce(trigger_trust.evidence, excluded.evidence),
      updated_at = excluded.updated_at`.execute(tx);
}

/**
 * Distrusts the account's triggers where a mismatch is written down: pages in flight end first, every later one
 * is decided without them, and the feed is wanted again from before the first that was applied.
 *
 * @returns what it rests on, once; undefined where nothing was to be done.
 */
export function distrustTriggers(index: Index, accountId: number): Promise<TriggerTrust | undefined> {
  return transact(index, async (tx) => {
    await waitForPages(tx, accountId);
    const { rows } = await sql`
      update accounts set triggers_distrusted_at = ${serverNow}
      where id = ${accountId} and triggers_distrusted_at is null
        and exists (select from trigger_trust where account_id = ${accountId} and mismatched > 0)
      returning id`.execute(tx);
    if (rows.length === 0) return undefined;
    await tx.updateTable('trigger_trust').set({ reread_wanted: true }).where('account_id', '=', accountId).execute();
    const trust = await readTriggerTrust(tx, accountId);
    const { agreed, mismatched, evidence, firstApplied } = trust;
    await recordJournal(tx, accountId, [
      { kind: 'triggers-distrusted', detail: { agreed, mismatched, evidence, firstApplied } },
    ]);
    return trust;
  });
}

/** Settles the wish to read the feed again, in the transaction that sets its cursor back. */
export async function settleReread(tx: Tx, accountId: number): Promise<void> {
  await tx
    .updateTable('trigger_trust')
    .set({ reread_wanted: false, updated_at: serverNow })
    .where('account_id', '=', accountId)
    .execute();
}

export type TrustOutcome = 'trusted' | 'trusted-already' | 'reread-wanted';

/**
 * An operator's word that triggers may be believed again: counting begins anew. What they had set before the feed
 * was read again stays as it is, so the feed must have been set back first.
 */
export function trustTriggers(index: Index, accountId: number, reason: string): Promise<TrustOutcome> {
  return transact(index, async (tx) => {
    await waitForPages(tx, accountId);
    const trust = await readTriggerTrust(tx, accountId);
    if (trust.distrustedAt === undefined) return 'trusted-already';
    if (trust.rereadWanted) return 'reread-wanted';
    await tx.updateTable('accounts').set({ triggers_distrusted_at: null }).where('id', '=', accountId).execute();
    await sql`
      update trigger_trust set agreed = 0, mismatched = 0, evidence = null, updated_at = ${serverNow}
      where account_id = ${accountId}`.execute(tx);
    const { agreed, mismatched, distrustedAt } = trust;
    await recordJournal(tx, accountId, [
      { kind: 'triggers-trusted', detail: { reason, agreed, mismatched, distrustedAt } },
    ]);
    return 'trusted';
  });
}
