import { formatKey } from '../../namespace/key.ts';
import type { Plan, PlanPart } from '../../reconciler/plan/plan-of.ts';
import type { Run } from '../../schema/index/runs.ts';
import type { ReconcilePlanOutput } from '../../schema/outputs/reconcile-plan.ts';
import { formatTime } from '../format.ts';

/** @returns undefined where the run judged nothing of the account. */
export function planOutput({ run, tripped, live, ...parts }: Plan): ReconcilePlanOutput | undefined {
  const { judge, waitingSince } = run;
  if (judge !== 'listing' && judge !== 'inventory') return undefined;
  return {
    ...{ runId: run.id, judge, scope: run.prefix },
    waitingSince: waitingSince === undefined ? null : formatTime(waitingSince),
    ...decisionOutput(run),
    outcome: run.outcome ?? null,
    tripped: [...tripped],
    live,
    created: partOutput(parts.created),
    updated: partOutput(parts.updated),
    deleted: partOutput(parts.deleted),
  };
}

function partOutput({ names, prefixes, elsewhere }: PlanPart): ReconcilePlanOutput['deleted'] {
  return {
    names,
    prefixes: prefixes.map((each) => ({ ...each, examples: each.examples.map(formatKey) })),
    elsewhere,
  };
}

/** What a person decided of a run, as every output has it. */
export function decisionOutput({
  decision,
  decidedBy,
  decidedAt,
  decisionReason,
}: Run): Pick<ReconcilePlanOutput, 'decision' | 'decidedBy' | 'decidedAt' | 'decisionReason'> {
  return {
    decision: decision ?? null,
    decidedBy: decidedBy ?? null,
    decidedAt: decidedAt === undefined ? null : formatTime(decidedAt),
    decisionReason: decisionReason ?? null,
  };
}
