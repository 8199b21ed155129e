import { type RawBuilder, sql } from 'kysely';
import type { Cause, FindingState } from '../drift/cause.ts';
import type { Queryable } from './database.ts';
import { type Finding, type FindingRow, findingOf } from './findings.ts';

/** Which findings are asked for. */
export interface DriftFilter {
  readonly runs: readonly number[];
  readonly states?: readonly FindingState[] | undefined;
  readonly cause?: Cause | undefined;
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  /** Only those that three runs in a row found, or more. */
  readonly repeated: boolean;
}

export interface DriftGroup {
  readonly runId: number;
  readonly cause: Cause;
  readonly state: FindingState;
  readonly count: number;
  readonly repeated: number;
}

export interface DriftPrefix {
  /** A plain prefix of `container/name`. */
  readonly prefix: string;
  readonly count: number;
}

function matches({ runs, states, cause, prefix, repeated }: DriftFilter): RawBuilder<boolean> {
  const parts: RawBuilder<boolean>[] = [sql<boolean>`f.run_id = any(${runs}::int[])`];
  if (states !== undefined) parts.push(sql`f.state = any(${states}::text[])`);
  if (cause !== undefined) parts.push(sql`f.cause = ${cause}`);
  if (prefix !== '') parts.push(sql`starts_with(f.container || '/' || f.name, ${prefix})`);
  if (repeated) parts.push(sql`f.streak >= 3`);
  return sql.join(parts, sql` and `);
}

/** Findings by run, cause and state, the most first. Reads every finding of the runs: for a person who asks. */
export async function groupFindings(on: Queryable, filter: DriftFilter): Promise<readonly DriftGroup[]> {
  const { rows } = await sql<DriftGroup>`
    select f.run_id as "runId", f.cause, f.state, count(*) as count, count(*) filter (where f.streak >= 3) as repeated
    from drift_findings f where ${matches(filter)}
    group by 1, 2, 3 order by count desc, f.cause, f.state, f.run_id`.execute(on);
  return rows;
}

/**
 * Findings by the folder that they are in: the next one below the prefix that is asked for, else the container's first.
 * Those with the most first.
 */
export async function prefixesOfFindings(
  on: Queryable,
  filter: DriftFilter,
  limit: number,
): Promise<readonly DriftPrefix[]> {
  // A folder of a container says more than the container.
  const depth = Math.max(2, filter.prefix.split('/').length);
  const folders = `^(?:[^/]*/){1,${depth}}`;
  const { rows } = await sql<DriftPrefix>`
    select substring(f.container || '/' || f.name from ${folders}) as prefix, count(*) as count
    from drift_findings f where ${matches(filter)}
    group by 1 order by count desc, 1 limit ${limit}`.execute(on);
  return rows;
}

/** In the order in which they were noted, the newest run first. */
export async function listFindings(on: Queryable, filter: DriftFilter, limit: number): Promise<readonly Finding[]> {
  const { rows } = await sql<FindingRow>`
    select f.* from drift_findings f where ${matches(filter)}
    order by f.run_id desc, f.id limit ${limit}`.execute(on);
  return rows.map(findingOf);
}
