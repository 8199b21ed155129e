import { formatKey } from '../namespace/key.ts';
import { planOf } from '../reconciler/plan/plan-of.ts';
import { assert } from '../schema/errors.ts';
import type { Index } from '../schema/index/database.ts';
import { PLAN_LIMITS, type ReconcilePlan } from '../schema/inputs/reconcile.ts';

/** The plan of a run as a workflow may hold it: bounded, however long its names are. */
export async function shownPlan(index: Index, runId: number): Promise<ReconcilePlan> {
  const plan = await planOf(index, runId);
  assert(plan !== undefined, `there is no run ${runId}`);
  const { run, created, updated, deleted, live, tripped } = plan;
  const { judge } = run;
  assert(judge === 'listing' || judge === 'inventory', `run ${runId} is judged by ${judge}, and has no plan`);
  const prefixes = deleted.prefixes.slice(0, PLAN_LIMITS.prefixes);
  return {
    ...{ runId, judge, scope: shownName(run.prefix), waitingSince: run.waitingSince, live },
    tripped: tripped.slice(0, PLAN_LIMITS.prefixes).map((reason) => cut(reason, PLAN_LIMITS.reason)),
    creates: created.names,
    updates: updated.names,
    deletes: deleted.names,
    prefixes: prefixes.map(({ prefix, names, examples }) => ({
      prefix: shownName(prefix),
      names,
      examples: examples.slice(0, PLAN_LIMITS.examples).map((key) => shownName(formatKey(key))),
    })),
    elsewhere: deleted.names - prefixes.reduce((sum, { names }) => sum + names, 0),
  };
}

/** A name as a workflow may hold it, bounded. */
export function shownName(name: string): string {
  return cut(name, PLAN_LIMITS.name);
}

function cut(text: string, length: number): string {
  // Not within a pair of surrogates.
  return text.length <= length ? text : `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}…`;
}
