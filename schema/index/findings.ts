import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey, type Key } from '../../namespace/key.ts';
import type { Cause, Difference, FindingState } from '../drift/cause.ts';
import type { Evidence } from '../drift/evidence.ts';
import { textArray } from './arrays.ts';
import { serverNow } from './clock.ts';
import type { Queryable } from './database.ts';
import { storableJson, storableText } from './storable.ts';

/** One difference between what a judge saw and what the index says (or the index and a sink), with its one cause. */
export interface NewFinding extends Key {
  readonly difference: Difference;
  readonly cause: Cause;
  readonly state: FindingState;
  readonly evidence: Evidence;
}

export interface Finding extends NewFinding {
  readonly id: number;
  readonly runId: number;
  readonly notedAt: Timestamp;
  readonly settledAt: Timestamp | undefined;
  /** Runs in a row, of the same judge and scope, that found this difference of this name; 1 at first. */
  readonly streak: number;
}

/** What a finding is found by again, whatever its name is. */
export function keyHash(key: Key): string {
  return createHash('sha256').update(formatKey(key)).digest('hex').slice(0, 32);
}

/**
 * Keeps findings of a run; they go with it.
 *
 * @param of `previousRun`: the run before of the same judge and scope; what it found too goes on its streak.
 */
export async function recordFindings(
  on: Queryable,
  of: { readonly accountId: number; readonly runId: number; readonly previousRun?: number | undefined },
  findings: readonly NewFinding[],
): Promise<void> {
  if (findings.length === 0) return;
  await sql`
    insert into drift_findings (run_id, account_id, noted_at, difference, cause, state, key_hash, container, name, detail, streak)
    select ${of.runId}::int, ${of.accountId}::int, ${serverNow}, difference, cause, state, decode(key_hash, 'hex'),
      container, name, detail::jsonb, 1 + coalesce((
        select max(f.streak) from drift_findings f
        where f.account_id = ${of.accountId} and f.key_hash = decode(page.key_hash, 'hex')
          and f.run_id = ${of.previousRun ?? null}::int and f.difference = page.difference), 0)
    from unnest(
      ${textArray(findings.map(({ difference }) => difference))}::text[],
      ${textArray(findings.map(({ cause }) => cause))}::text[],
      ${textArray(findings.map(({ state }) => state))}::text[],
      ${textArray(findings.map(keyHash))}::text[],
      ${textArray(findings.map(({ container }) => storableText(container)))}::text[],
      ${textArray(findings.map(({ name }) => storableText(name)))}::text[],
      ${textArray(findings.map(({ evidence }) => storableJson(evidence)))}::text[]
    ) as page (difference, cause, state, key_hash, container, name, detail)`.execute(on);
}

/** Forgets what a run has found, as it begins anew. */
export async function forgetFindings(on: Queryable, runId: number): Promise<void> {
  await sql`delete from drift_findings where run_id = ${runId}`.execute(on);
}

/** What became of a finding, once it is known; one that is still `looking` is not settled by it. */
export interface Settled {
  readonly id: number;
  readonly cause: Cause;
  readonly state: FindingState;
  /** Added to the evidence that is there. */
  readonly evidence?: Evidence | undefined;
}

export async function settleFindings(on: Queryable, settled: readonly Settled[]): Promise<void> {
  if (settled.length === 0) return;
  await sql`
    update drift_findings as f set cause = page.cause, state = page.state,
      settled_at = case when page.state <> 'looking' then ${serverNow} end,
      detail = f.detail || page.detail::jsonb
    from unnest(
      ${settled.map(({ id }) => id)}::bigint[],
      ${textArray(settled.map(({ cause }) => cause))}::text[],
      ${textArray(settled.map(({ state }) => state))}::text[],
      ${textArray(settled.map(({ evidence }) => storableJson(evidence ?? {})))}::text[]
    ) as page (id, cause, state, detail)
    where f.id = page.id`.execute(on);
}

/** Sets what became of these findings, where it does not depend on each; a note is added to their evidence. */
export async function markFindings(
  on: Queryable,
  ids: readonly number[],
  as: { readonly state: FindingState; readonly note?: string | undefined },
): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update drift_findings as f set state = ${as.state}, detail = f.detail || ${storableJson({ note: as.note })}::jsonb
    where f.id = any(${ids}::bigint[])`.execute(on);
}

/**
 * The same for so many of a run's findings that are in one of these states.
 *
 * @returns how many; fewer than the limit means that no more are.
 */
export async function closeFindings(
  on: Queryable,
  runId: number,
  of: {
    readonly states: readonly FindingState[];
    readonly as: FindingState;
    readonly note: string;
    readonly limit: number;
  },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update drift_findings set state = ${of.as}, settled_at = ${serverNow},
      detail = detail || ${storableJson({ note: of.note })}::jsonb
    where id in (
      select id from drift_findings where run_id = ${runId} and state = any(${of.states}::text[])
      order by id limit ${of.limit})`.execute(on);
  return Number(numAffectedRows ?? 0n);
}

export interface FindingFilter {
  readonly states?: readonly FindingState[] | undefined;
  readonly cause?: Cause | undefined;
  readonly difference?: Difference | undefined;
  /** A plain prefix of `container/name`. */
  readonly prefix?: string | undefined;
}

function matches({ states, cause, difference, prefix }: FindingFilter): RawBuilder<boolean> {
  const parts: RawBuilder<boolean>[] = [sql<boolean>`true`];
  if (states !== undefined) parts.push(sql`f.state = any(${states}::text[])`);
  if (cause !== undefined) parts.push(sql`f.cause = ${cause}`);
  if (difference !== undefined) parts.push(sql`f.difference = ${difference}`);
  if (prefix !== undefined && prefix !== '') parts.push(sql`starts_with(f.container || '/' || f.name, ${prefix})`);
  return sql.join(parts, sql` and `);
}

/** Findings of a run in the order in which they were noted, after this one. */
export async function readFindings(
  on: Queryable,
  runId: number,
  options: FindingFilter & { readonly limit: number; readonly after?: number | undefined },
): Promise<readonly Finding[]> {
  const { rows } = await sql<FindingRow>`
    select f.* from drift_findings f
    where f.run_id = ${runId} and f.id > ${options.after ?? 0} and ${matches(options)}
    order by f.id limit ${options.limit}`.execute(on);
  return rows.map(findingOf);
}

/** What was ever found of one name, newest first. */
export async function findingsOfKey(
  on: Queryable,
  accountId: number,
  key: Key,
  limit: number,
): Promise<readonly Finding[]> {
  const { rows } = await sql<FindingRow>`
    select f.* from drift_findings f
    where f.account_id = ${accountId} and f.key_hash = decode(${keyHash(key)}, 'hex')
    order by f.run_id desc, f.id desc limit ${limit}`.execute(on);
  return rows.map(findingOf);
}

export interface FindingCount {
  readonly difference: Difference;
  readonly cause: Cause;
  readonly state: FindingState;
  readonly count: number;
  /** Of those, the ones that three runs in a row found, or more. */
  readonly repeated: number;
}

/** Findings of a run that are kept, by difference, cause and state. */
export async function countFindings(
  on: Queryable,
  runId: number,
  filter: FindingFilter = {},
): Promise<readonly FindingCount[]> {
  const { rows } = await sql<FindingCount>`
    select f.difference, f.cause, f.state, count(*) as count, count(*) filter (where f.streak >= 3) as repeated
    from drift_findings f where f.run_id = ${runId} and ${matches(filter)}
    group by 1, 2, 3 order by 1, 2, 3`.execute(on);
  return rows;
}

export interface FindingRow {
  readonly id: number;
  readonly run_id: number;
  readonly noted_at: number;
  readonly settled_at: number | null;
  readonly streak: number;
  readonly difference: string;
  readonly cause: string;
  readonly state: string;
  readonly container: string;
  readonly name: string;
  readonly detail: Evidence;
}

export function findingOf(row: FindingRow): Finding {
  return {
    id: row.id,
    runId: row.run_id,
    notedAt: row.noted_at,
    settledAt: row.settled_at ?? undefined,
    streak: row.streak,
    difference: row.difference as Difference,
    cause: row.cause as Cause,
    state: row.state as FindingState,
    container: row.container,
    name: row.name,
    evidence: row.detail,
  };
}
