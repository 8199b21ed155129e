import { sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableJson, storableText } from './storable.ts';

export type Judge = 'listing' | 'inventory' | 'none';
export type RunOutcome = 'complete' | 'rejected' | 'guarded' | 'nothing-to-do' | 'failed';

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
}

export interface NewRun {
  readonly judge: Judge;
  readonly prefix: string;
  readonly manifest?: string | undefined;
  readonly state?: Readonly<Record<string, unknown>> | undefined;
}

/** @returns the run's id. */
export async function startRun(on: Queryable, accountId: number, run: NewRun): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into runs (account_id, judge, prefix, manifest, started_at, state)
    values (${accountId}, ${run.judge}, ${run.prefix}, ${run.manifest ?? null}, ${serverNow},
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
  };
}

/** @returns undefined where there is no such run. */
export async function readRun(on: Queryable, runId: number): Promise<Run | undefined> {
  const row = await on.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();
  return row === undefined ? undefined : runOf(row);
}

/** Merges these keys into the run's state and counts. */
export async function updateRun(
  on: Queryable,
  runId: number,
  change: {
    readonly state?: Readonly<Record<string, unknown>> | undefined;
    readonly counts?: Readonly<Record<string, number>> | undefined;
  },
): Promise<void> {
  await sql`
    update runs set
      state = state || ${storableJson(change.state ?? {})}::jsonb,
      counts = counts || ${storableJson(change.counts ?? {})}::jsonb
    where id = ${runId}`.execute(on);
}

/** Ends a run, once: the first outcome stays. */
export async function finishRun(
  on: Queryable,
  runId: number,
  end: { readonly outcome: RunOutcome; readonly reason?: string | undefined },
): Promise<void> {
  const reason = end.reason === undefined ? null : storableText(end.reason);
  await sql`
    update runs set outcome = ${end.outcome}, reason = ${reason}, ended_at = ${serverNow}
    where id = ${runId} and outcome is null`.execute(on);
}

/** Newest first. */
export async function recentRuns(
  on: Queryable,
  accountId: number,
  options: {
    readonly limit: number;
    readonly outcome?: RunOutcome | undefined;
    readonly manifest?: string | undefined;
    readonly judge?: Judge | undefined;
    readonly prefix?: string | undefined;
  },
): Promise<readonly Run[]> {
  let query = on.selectFrom('runs').selectAll().where('account_id', '=', accountId);
  if (options.outcome !== undefined) query = query.where('outcome', '=', options.outcome);
  if (options.manifest !== undefined) query = query.where('manifest', '=', options.manifest);
  if (options.judge !== undefined) query = query.where('judge', '=', options.judge);
  if (options.prefix !== undefined) query = query.where('prefix', '=', options.prefix);
  return (await query.orderBy('id', 'desc').limit(options.limit).execute()).map(runOf);
}

/** One difference between what a judge saw and what the index says, classified by cause. */
export interface DriftFinding {
  readonly container: string;
  readonly name: string;
  readonly cause: string;
  readonly detail?: unknown;
}

/** Keeps findings of a run; they go with it. */
export async function recordFindings(on: Queryable, runId: number, findings: readonly DriftFinding[]): Promise<void> {
  if (findings.length === 0) return;
  await sql`
    insert into drift_findings (run_id, container, name, cause, detail)
    select ${runId}::int, container, name, cause, detail::jsonb
    from unnest(
      ${textArray(findings.map(({ container }) => storableText(container)))}::text[],
      ${textArray(findings.map(({ name }) => storableText(name)))}::text[],
      ${textArray(findings.map(({ cause }) => cause))}::text[],
      ${textArray(findings.map(({ detail }) => (detail === undefined ? undefined : storableJson(detail))))}::text[]
    ) as page (container, name, cause, detail)`.execute(on);
}

/** In key order. */
export async function readFindings(on: Queryable, runId: number, limit: number): Promise<readonly DriftFinding[]> {
  const rows = await on
    .selectFrom('drift_findings')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('container')
    .orderBy('name')
    .limit(limit)
    .execute();
  return rows.map(({ container, name, cause, detail }) => ({ container, name, cause, detail: detail ?? undefined }));
}
