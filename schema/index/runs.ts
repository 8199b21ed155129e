import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableJson, storableText } from './storable.ts';

export type Judge = 'listing' | 'inventory' | 'sink' | 'none';
/**
 * `complete`: everything was judged and repaired, as far as it can be. `rejected`: nothing may be concluded from the
 * report. `guarded`: the percent stop tripped, and the deletes were refused by a person, or nobody approved them.
 */
export type RunOutcome = 'complete' | 'rejected' | 'guarded' | 'nothing-to-do' | 'failed';

export type RunDecision = 'approved' | 'rejected' | 'expired';

/** One reconcile. `state` is the reconciler's own (where it stands, what it validated), `counts` what it found. */
export interface Run {
  readonly id: number;
  readonly accountId: number;
  readonly judge: Judge;
  readonly prefix: string;
  /** `container/path` of the report's manifest. */
  readonly manifest: string | undefined;
  readonly outcome: RunOutcome | undefined;
  readonly reason: string | undefined;
  readonly startedAt: Timestamp;
  readonly endedAt: Timestamp | undefined;
  readonly state: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Of a run that judged a sink. */
  readonly sink: string | undefined;
  /** When it last did a step; undefined where it has done none yet. */
  readonly movedAt: Timestamp | undefined;
  /** Since when the run stands still, as a person must approve its deletes. */
  readonly waitingSince: Timestamp | undefined;
  readonly decision: RunDecision | undefined;
  readonly decidedBy: string | undefined;
  readonly decidedAt: Timestamp | undefined;
  readonly decisionReason: string | undefined;
}

export interface NewRun {
  readonly judge: Judge;
  readonly prefix: string;
  readonly manifest?: string | undefined;
  readonly sink?: string | undefined;
  readonly state?: Readonly<Record<string, unknown>> | undefined;
}

/** @returns the run's id. */
export async function startRun(on: Queryable, accountId: number, run: NewRun): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into runs (account_id, judge, prefix, manifest, sink, started_at, state)
    values (${accountId}, ${run.judge}, ${run.prefix}, ${run.manifest ?? null}, ${run.sink ?? null}, ${serverNow},
      ${storableJson(run.state ?? {})}::jsonb)
    returning id`.execute(on);
  return rows[0]?.id ?? 0;
}

interface Row {
  readonly id: number;
  readonly account_id: number;
  readonly judge: string;
  readonly prefix: string;
  readonly manifest: string | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly state: unknown;
  readonly counts: unknown;
  readonly sink: string | null;
  readonly moved_at: number | null;
  readonly waiting_since: number | null;
  readonly decision: string | null;
  readonly decided_by: string | null;
  readonly decided_at: number | null;
  readonly decision_reason: string | null;
}

function runOf(row: Row): Run {
  return {
    id: row.id,
    accountId: row.account_id,
    judge: row.judge as Judge,
    prefix: row.prefix,
    manifest: row.manifest ?? undefined,
    outcome: (row.outcome ?? undefined) as RunOutcome | undefined,
    reason: row.reason ?? undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    state: row.state as Run['state'],
    counts: row.counts as Run['counts'],
    sink: row.sink ?? undefined,
    movedAt: row.moved_at ?? undefined,
    waitingSince: row.waiting_since ?? undefined,
    decision: (row.decision ?? undefined) as RunDecision | undefined,
    decidedBy: row.decided_by ?? undefined,
    decidedAt: row.decided_at ?? undefined,
    decisionReason: row.decision_reason ?? undefined,
  };
}

/** @returns undefined where there is no such run. */
export async function readRun(on: Queryable, runId: number): Promise<Run | undefined> {
  const row = await on.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();
  return row === undefined ? undefined : runOf(row);
}

/**
 * Does the step of this number (0 at first) of a run that has not ended: merges these keys into its state and counts.
 * By it is seen that the run does not hang.
 *
 * @returns false where that step is done: somebody else drives the run, or it has ended.
 */
export async function stepRun(
  on: Queryable,
  runId: number,
  step: number,
  change: {
    readonly state?: Readonly<Record<string, unknown>> | undefined;
    readonly counts?: Readonly<Record<string, number>> | undefined;
  },
): Promise<boolean> {
  const { rows } = await sql`
    update runs set
      state = state || ${storableJson({ ...change.state, step: step + 1 })}::jsonb,
      counts = counts || ${storableJson(change.counts ?? {})}::jsonb,
      moved_at = ${serverNow}
    where id = ${runId} and outcome is null and coalesce((state ->> 'step')::int, 0) = ${step}
    returning id`.execute(on);
  return rows.length > 0;
}

/**
 * The newest run before this one, of the same judge and scope, that ended with something found.
 *
 * @returns undefined where there is none.
 */
export async function runBefore(
  on: Queryable,
  run: Pick<Run, 'id' | 'accountId' | 'judge' | 'prefix' | 'sink'>,
): Promise<number | undefined> {
  const { rows } = await sql<{ id: number | null }>`
    select max(id) as id from runs
    where account_id = ${run.accountId} and id < ${run.id} and judge = ${run.judge} and prefix = ${run.prefix}
      and sink is not distinct from ${run.sink ?? null} and outcome in ('complete', 'guarded')`.execute(on);
  return rows[0]?.id ?? undefined;
}

/**
 * When the newest run before this one began that judged every name of the account, whatever came of it.
 *
 * @returns undefined where there is none.
 */
export async function judgedAllAt(on: Queryable, run: Pick<Run, 'id' | 'accountId'>): Promise<Timestamp | undefined> {
  const { rows } = await sql<{ at: number | null }>`
    select max(started_at) as at from runs
    where account_id = ${run.accountId} and id < ${run.id} and judge in ('listing', 'inventory') and prefix = ''
      and outcome in ('complete', 'guarded')
      and coalesce(jsonb_array_length(state #> '{inventory,filters,prefixMatch}'), 0) = 0
      and coalesce(jsonb_array_length(state #> '{inventory,filters,excludePrefix}'), 0) = 0
      and state #> '{inventory,filters,createdInLastDays}' is null`.execute(on);
  return rows[0]?.at ?? undefined;
}

/** Ends a run, once: the first outcome stays. */
export async function finishRun(
  on: Queryable,
  runId: number,
  end: { readonly outcome: RunOutcome; readonly reason?: string | undefined },
): Promise<void> {
  const reason = end.reason === undefined ? null : storableText(end.reason);
  await sql`
    update runs set outcome = ${end.outcome}, reason = ${reason}, ended_at = ${serverNow}, waiting_since = null
    where id = ${runId} and outcome is null`.execute(on);
}

/** Newest first; runs that judged a sink only where `judge` or `sink` asks for them. */
export async function recentRuns(
  on: Queryable,
  accountId: number,
  options: {
    readonly limit: number;
    readonly outcome?: RunOutcome | undefined;
    readonly manifest?: string | undefined;
    readonly judge?: Judge | undefined;
    readonly prefix?: string | undefined;
    readonly sink?: string | undefined;
  },
): Promise<readonly Run[]> {
  let query = on.selectFrom('runs').selectAll().where('account_id', '=', accountId);
  if (options.outcome !== undefined) query = query.where('outcome', '=', options.outcome);
  if (options.manifest !== undefined) query = query.where('manifest', '=', options.manifest);
  if (options.judge !== undefined) query = query.where('judge', '=', options.judge);
  else if (options.sink === undefined) query = query.where('judge', '<>', 'sink');
  if (options.prefix !== undefined) query = query.where('prefix', '=', options.prefix);
  if (options.sink !== undefined) query = query.where('sink', '=', options.sink);
  return (await query.orderBy('id', 'desc').limit(options.limit).execute()).map(runOf);
}

/** Sets that the run stands still until a person decides, from now on; not moved where it does already. */
export async function awaitDecision(on: Queryable, runId: number): Promise<void> {
  await sql`update runs set waiting_since = ${serverNow}
    where id = ${runId} and waiting_since is null and decision is null and outcome is null`.execute(on);
}

/**
 * Keeps what a person decided of a run that waits, once: the first decision stays.
 *
 * @returns false where the run does not wait, or was decided already.
 */
export async function decideRun(
  on: Queryable,
  runId: number,
  by: { readonly decision: RunDecision; readonly who: string; readonly reason?: string | undefined },
): Promise<boolean> {
  const reason = by.reason === undefined ? null : storableText(by.reason);
  const { rows } = await sql`
    update runs set waiting_since = null, decision = ${by.decision}, decided_by = ${storableText(by.who)},
      decided_at = ${serverNow}, moved_at = ${serverNow}, decision_reason = ${reason}
    where id = ${runId} and waiting_since is not null and outcome is null returning id`.execute(on);
  return rows.length > 0;
}
