import type { Difference } from '../../schema/drift/cause.ts';
import type { Index, Queryable } from '../../schema/index/database.ts';
import { type PlannedPrefix, plannedPrefixes } from '../../schema/index/planned.ts';
import { type Run, readRun } from '../../schema/index/runs.ts';
import { parseRunState } from '../run/run-state.ts';
import type { ShareOfNames } from './stop.ts';

export const PLAN_PREFIXES = 20;
export const PLAN_EXAMPLES = 5;

/** What a run does with names of one kind. */
export interface PlanPart {
  readonly names: number;
  /** Those with the most, the largest first. */
  readonly prefixes: readonly PlannedPrefix[];
  /** Names that are below none of these prefixes, or that were only counted. */
  readonly elsewhere: number;
}

/** What a run did and would do: while it waits, and after it ended, for as long as its findings are kept. */
export interface Plan {
  readonly run: Run;
  readonly created: PlanPart;
  readonly updated: PlanPart;
  /** Names that are looked at, and deleted where the blob is gone. */
  readonly deleted: PlanPart;
  /** Live names in the judge's scope. */
  readonly live: number;
  /** What of the containers, and of the rules, that lack most would be deleted; of a rule only where it lacks many. */
  readonly shares: readonly ShareOfNames[];
  /** Why the run must not delete by itself; none where the percent stop has not tripped. */
  readonly tripped: readonly string[];
}

/** @returns undefined where there is no such run. */
export async function planOf(index: Pick<Index, 'db'>, runId: number): Promise<Plan | undefined> {
  const run = await readRun(index.db, runId);
  if (run === undefined) return undefined;
  const { shares, tripped } = parseRunState(run.state);
  const part = (...differences: readonly Difference[]) => partOf(index.db, run, differences);
  return {
    run,
    created: await part('not-indexed'),
    updated: await part('other-version', 'other-attributes'),
    deleted: await part('not-listed'),
    live: run.counts.live ?? 0,
    shares,
    tripped,
  };
}

async function partOf(on: Queryable, run: Run, differences: readonly Difference[]): Promise<PlanPart> {
  const of = { differences, prefixes: PLAN_PREFIXES, examples: PLAN_EXAMPLES };
  const prefixes = await plannedPrefixes(on, run.id, of);
  const names = differences.reduce((sum, difference) => sum + (run.counts[`difference.${difference}`] ?? 0), 0);
  return { names, prefixes, elsewhere: names - prefixes.reduce((sum, prefix) => sum + prefix.names, 0) };
}
