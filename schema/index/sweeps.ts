import { sql } from 'kysely';
import type { ClockPolicy } from '../../namespace/decision.ts';
import type { Entry } from '../../namespace/entry.ts';
import { lifeOf } from '../../namespace/liveness.ts';
import { type Account, waitForPages } from './accounts.ts';
import { serverNow } from './clock.ts';
import { type ContainerRow, containerStates } from './containers.ts';
import type { Index, Tx } from './database.ts';
import { isDeadOrUnsureSql, lives } from './lives.ts';
import { afterName } from './name-range.ts';
import { marker, type PageRow, pageKey } from './page-rows.ts';
import { type Decided, writeDecided } from './page-writer.ts';
import { readLeft } from './read-left.ts';
import { transact } from './transact.ts';
import { upsertPage } from './upsert-page.ts';

/** A container whose dead incarnations are to be written down, claimed for a while. */
export interface SweepClaim {
  readonly containerId: number;
  readonly container: string;
  /** Moves when the container dies again: a sweep that began before starts over. */
  readonly round: number;
}

/** Claims one container that is due for a sweep, skipping those that others hold, and waits for the pages in flight. */
export async function claimSweep(index: Index, accountId: number, leaseMs: number): Promise<SweepClaim | undefined> {
  const { rows } = await sql<SweepClaim>`
    update containers set sweep_at = ${serverNow} + ${leaseMs}::bigint
    where account_id = ${accountId} and id = (
      select id from containers where account_id = ${accountId} and sweep_due and sweep_at <= ${serverNow}
      order by sweep_at limit 1 for update skip locked
    )
    returning id as "containerId", name as container, sweep_round as round`.execute(index.db);
  // One that has not heard of the death may leave an entry behind the sweep that nobody would look at.
  if (rows.length > 0) await transact(index, (tx) => waitForPages(tx, accountId));
  return rows[0];
}

export interface SweepStep {
  /** Entries that became tombstones in this step. */
  readonly swept: number;
  /** Entries too near the container's end to tell: looks were queued. */
  readonly looks: number;
  /** Nothing is left to sweep; the claim is released. */
  readonly done: boolean;
}

export interface SweepInput {
  readonly account: Account;
  readonly claim: SweepClaim;
  readonly ruleRevision: number;
  readonly policy: Pick<ClockPolicy, 'margin'>;
  /** Entries to go through. */
  readonly limit: number;
  readonly leaseMs: number;
}

/** Goes through the next `limit` live entries of the container, in key order, and keeps where it stopped. One transaction. */
export function sweepStep(index: Index, sweep: SweepInput): Promise<SweepStep> {
  return transact(index, async (tx) => {
    const { account, claim, limit } = sweep;
    const { rows: cursors } = await sql<{ head: string; tail: string }>`
      select sweep_head as head, sweep_tail as tail from containers
      where account_id = ${account.id} and id = ${claim.containerId} and sweep_due and sweep_round = ${claim.round}
      for no key update`.execute(tx);
    const cursor = cursors[0];
    const container = (await containerStates(tx, account.id, [claim.container])).get(claim.container);
    // The container died again: that sweep is another claim's.
    if (cursor === undefined || container === undefined) return { swept: 0, looks: 0, done: true };

    const { rows: window } = await sql<{ head: string; tail: string; suspect: boolean }>`
      select e.head, e.tail, ${isDeadOrUnsureSql} as suspect
      from entries as e, ${lives([container])}
      where e.account_id = ${account.id} and e.container_id = ${claim.containerId} and e.live
        and (${cursor.head === ''} or ${afterName(cursor.head + cursor.tail)})
      order by e.head, e.tail limit ${limit}`.execute(tx);
    const suspects = window.filter(({ suspect }) => suspect).map(({ head, tail }) => head + tail);
    const decided = await judge(tx, sweep, container, suspects);
    await writeDecided(tx, account.id, decided, sweep.policy.margin);

    const last = window.at(-1);
    const done = last === undefined || window.length < limit;
    await sql`
      update containers set
        sweep_due = ${!done}, sweep_at = case when ${done} then 0 else ${serverNow} + ${sweep.leaseMs}::bigint end,
        sweep_head = ${done ? '' : last.head}, sweep_tail = ${done ? '' : last.tail}
      where account_id = ${account.id} and id = ${claim.containerId}`.execute(tx);
    const looks = decided.filter(({ wanted }) => wanted !== undefined).length;
    const swept = decided.filter(({ before, next, wanted }) => next !== before && wanted === undefined).length;
    return { swept, looks, done };
  });
}

/** Locks the suspects in key order and judges them anew. */
async function judge(
  tx: Tx,
  { account, claim, ruleRevision, policy }: SweepInput,
  container: ContainerRow,
  names: readonly string[],
): Promise<readonly Decided[]> {
  const read = { margin: policy.margin, looks: true };
  const rows: PageRow[] = names.map((name) => ({
    ...pageKey(claim.containerId, name),
    entry: marker({ container: claim.container, name }),
    sinkId: undefined,
  }));
  await upsertPage(tx, account.id, rows, read);
  const decided: Decided[] = [];
  for (const { at, entry: before } of await readLeft(tx, account.id, rows, read)) {
    const row = rows[at];
    if (row === undefined) continue;
    const life = before?.live === true ? lifeOf(before, container, policy.margin) : 'alive';
    const key = { ...row, before, container };
    if (before === undefined || life === 'alive' || (life === 'unsure' && before.lookDue)) {
      decided.push({ ...key, next: before, wanted: undefined });
    } else if (life === 'unsure') {
      const next: Entry = { ...before, lookDue: true, revision: before.revision + 1 };
      decided.push({ ...key, next, wanted: 'near-container-gone' });
    } else {
      decided.push({ ...key, next: tombstone(before, ruleRevision), wanted: undefined });
    }
  }
  return decided;
}

/** The entry of a dead incarnation, written down as gone. Its clock stays as it is: nothing new was heard of it. */
function tombstone(entry: Entry, ruleRevision: number): Entry {
  const { eventId, time } = entry.provenance;
  return {
    ...entry,
    live: false,
    attributes: undefined,
    revision: entry.revision + 1,
    provenance: { source: 'sweep', eventId, time, ruleRevision },
  };
}
