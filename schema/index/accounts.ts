import { sql } from 'kysely';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError } from '../errors.ts';
import type { Index, Queryable, Tx } from './database.ts';

/** One storage account of the index. */
export interface Account {
  readonly id: number;
  readonly name: string;
  /** What older creates must not be believed without a look: see `ClockPolicy.horizon`. As it was when the account was read. */
  readonly horizon: Timestamp | undefined;
  /** M of the clock rules, in milliseconds: larger than what any two clocks of this account disagree by. */
  readonly margin: number;
}

/** The account of this name; made where there is none. */
export async function ensureAccount(index: Index, name: string): Promise<Account> {
  const known = await readAccount(index.db, name);
  if (known !== undefined) return known;
  await index.db
    .insertInto('accounts')
    .values({ name, horizon: null, rule_revision: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return ensureAccount(index, name);
}

/** @returns undefined where the index has never seen the account. */
export async function readAccount(on: Queryable, name: string): Promise<Account | undefined> {
  const row = await on.selectFrom('accounts').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined
    ? undefined
    : { id: row.id, name: row.name, horizon: row.horizon ?? undefined, margin: row.margin };
}

/** What holds of the account for as long as a page holds it. */
export interface HeldAccount {
  readonly clock: Pick<ClockPolicy, 'horizon' | 'triggersTrusted'>;
  /** The oldest event's time of all triggers that were applied, as far as pages before have committed. */
  readonly firstTrigger: Timestamp | undefined;
}

/**
 * Holds the account `FOR SHARE` until the transaction ends, so that neither a rule change, nor a purge, nor the end
 * of the trust in triggers can pass between what a page reads and what it commits. Throws `ISTHMUS_RULES_MOVED`
 * where another revision is live.
 */
export async function holdAccount(tx: Tx, accountId: number, ruleRevision: number): Promise<HeldAccount> {
  const { rows } = await sql<HeldRow>`
    select horizon, rule_revision, triggers_distrusted_at,
      (select first_applied from trigger_trust where account_id = accounts.id)
    from accounts where id = ${accountId} for share`.execute(tx);
  const [row] = rows;
  const live = row?.rule_revision;
  if (row !== undefined && live === ruleRevision) {
    const triggersTrusted = row.triggers_distrusted_at === null;
    return {
      clock: { horizon: row.horizon ?? undefined, triggersTrusted },
      firstTrigger: row.first_applied ?? undefined,
    };
  }
  throw new IsthmusError(
    'ISTHMUS_RULES_MOVED',
    `The page was decided under rule revision ${ruleRevision}, but ${live ?? 'none'} is live. It is applied again under that one.`,
  );
}

interface HeldRow {
  readonly horizon: number | null;
  readonly rule_revision: number | null;
  readonly triggers_distrusted_at: number | null;
  readonly first_applied: number | null;
}

/**
 * Waits for the pages in flight, which hold the account, and holds back new ones until the transaction ends:
 * those see whatever is committed by then.
 */
export async function waitForPages(tx: Tx, accountId: number): Promise<void> {
  await sql`select id from accounts where id = ${accountId} for no key update`.execute(tx);
}

/** Sets M of the clock rules for the account; whoever read the account before goes on with what it read. */
export async function setMargin(on: Queryable, accountId: number, margin: number): Promise<void> {
  await sql`update accounts set margin = ${margin} where id = ${accountId} and margin <> ${margin}`.execute(on);
}

/** Raises the account's horizon; it never falls. */
export async function raiseHorizon(tx: Tx, accountId: number, horizon: Timestamp): Promise<void> {
  await sql`
    update accounts set horizon = ${horizon}
    where id = ${accountId} and (horizon is null or horizon < ${horizon})`.execute(tx);
}
