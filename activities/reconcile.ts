import { Context } from '@temporalio/activity';
import { DEFAULT_WAITING, finishReconcileRun } from '../reconciler/finish.ts';
import { DEFAULT_GUARD } from '../reconciler/judge/guard.ts';
import { judgeRun } from '../reconciler/judge/judge-run.ts';
import { prepareRun } from '../reconciler/prepare.ts';
import { stageRun } from '../reconciler/stage.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';

type ReconcileActivities = Pick<
  Activities,
  'prepareReconcile' | 'stageReconcile' | 'judgeReconcile' | 'finishReconcile'
>;

/** The steps of a reconcile. Each may be done again from its start: it goes on where the run's ledger says. */
export function reconcileActivities(services: Services): ReconcileActivities {
  return {
    async prepareReconcile(input) {
      using _heartbeats = heartbeats(() => 'looking for a judge');
      return await prepareRun(services, input, Context.current().cancellationSignal);
    },
    async stageReconcile({ runId }) {
      using _heartbeats = heartbeats(() => `staging run ${runId}`);
      const { counts } = await stageRun(services, runId, Context.current().cancellationSignal);
      return { staged: counts.rows };
    },
    async judgeReconcile({ runId }) {
      using _heartbeats = heartbeats(() => `judging run ${runId}`);
      const { counts } = await judgeRun(services, runId, DEFAULT_GUARD, Context.current().cancellationSignal);
      return { looks: counts.looks };
    },
    async finishReconcile({ runId }) {
      using _heartbeats = heartbeats(() => `waiting for the looks of run ${runId}`);
      const summary = await finishReconcileRun(services, runId, DEFAULT_WAITING, Context.current().cancellationSignal);
      const { agreed, filled, applied, looks, missing } = summary;
      services.metrics.records('inventory', { agreed, filled, applied, looks, missing });
      return summary;
    },
  };
}
