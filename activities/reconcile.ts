import { Context } from '@temporalio/activity';
import { DEFAULT_WAITING, finishReconcileRun } from '../reconciler/finish.ts';
import { DEFAULT_GUARD } from '../reconciler/judge/guard.ts';
import { judgeRun } from '../reconciler/judge/judge-run.ts';
import { prepareRun } from '../reconciler/prepare.ts';
import { stageRun } from '../reconciler/stage.ts';
import { IsthmusError } from '../schema/errors.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { workflowIds } from '../schema/inputs/names.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';

type ReconcileActivities = Pick<
  Activities,
  'prepareReconcile' | 'stageReconcile' | 'judgeReconcile' | 'finishReconcile'
>;

/**
 * Temporal lets one workflow of an id run at once, so only the account's one id may reconcile it: two workflows
 * would drive one run, or end each other's.
 *
 * @returns what cancels the activity.
 */
function aloneSignal({ account }: Services): AbortSignal {
  const { info, cancellationSignal } = Context.current();
  const mine = workflowIds.reconcile(account.name);
  const id = info.workflowExecution?.workflowId;
  if (id === mine) return cancellationSignal;
  throw new IsthmusError('ISTHMUS_USAGE', `Only the workflow ${mine} reconciles ${account.name}, and this is ${id}.`);
}

/** The steps of a reconcile. Each may be done again from its start: it goes on where the run's ledger says. */
export function reconcileActivities(services: Services): ReconcileActivities {
  return {
    async prepareReconcile(input) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => 'looking for a judge');
      return await prepareRun(services, input, signal);
    },
    async stageReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `staging run ${runId}`);
      const { counts } = await stageRun(services, runId, signal);
      return { staged: counts.rows };
    },
    async judgeReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `judging run ${runId}`);
      const { counts } = await judgeRun(services, runId, DEFAULT_GUARD, signal);
      return { looks: counts.looks };
    },
    async finishReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `waiting for the looks of run ${runId}`);
      const summary = await finishReconcileRun(services, runId, DEFAULT_WAITING, signal);
      const { agreed, filled, applied, looks, missing } = summary;
      services.metrics.records('inventory', { agreed, filled, applied, looks, missing });
      return summary;
    },
  };
}
