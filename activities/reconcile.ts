import { Context } from '@temporalio/activity';
import { formatKey } from '../namespace/key.ts';
import { DEFAULT_WAITING, finishReconcileRun } from '../reconciler/finish.ts';
import { judgeRun } from '../reconciler/judge/judge-run.ts';
import { decide } from '../reconciler/plan/decide.ts';
import { prepareRun } from '../reconciler/prepare.ts';
import { progressOf } from '../reconciler/progress.ts';
import { undoneText } from '../reconciler/report.ts';
import { stageRun } from '../reconciler/stage.ts';
import { undoRun } from '../reconciler/undo/undo-run.ts';
import { IsthmusError } from '../schema/errors.ts';
import { standingRuns } from '../schema/index/standing-runs.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { workflowIds } from '../schema/inputs/names.ts';
import { heartbeats } from './heartbeat.ts';
import { notingTrouble } from './noting-trouble.ts';
import type { Services } from './services.ts';
import { shownName, shownPlan } from './shown-plan.ts';

type ReconcileActivities = Pick<
  Activities,
  | 'standingReconciles'
  | 'prepareReconcile'
  | 'stageReconcile'
  | 'judgeReconcile'
  | 'decideReconcile'
  | 'reconcileProgress'
  | 'finishReconcile'
  | 'undoReconcile'
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
  const { account, index, metrics } = services;
  return {
    async standingReconciles() {
      aloneSignal(services);
      using _heartbeats = heartbeats(() => 'reading the plans of runs that wait');
      const runs = await standingRuns(index.db, account.id);
      return {
        runs: await Promise.all(
          runs.map(async ({ id, isDecided }) => ({
            runId: id,
            plan: isDecided ? undefined : await shownPlan(index, id),
          })),
        ),
      };
    },
    async prepareReconcile(input) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => 'looking for a judge');
      return await prepareRun(services, input, signal);
    },
    async stageReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `staging run ${runId}`);
      const { counts } = await notingTrouble(services, runId, signal, () => stageRun(services, runId, signal));
      return { staged: counts.rows };
    },
    async judgeReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `judging run ${runId}`);
      const judged = await notingTrouble(services, runId, signal, () => judgeRun(services, runId, signal));
      const { counts, ended, state } = judged;
      const { looks } = counts;
      return ended || state.phase !== 'approve' ? { looks } : { looks, plan: await shownPlan(index, runId) };
    },
    async decideReconcile({ run, decision, who, reason }) {
      aloneSignal(services);
      using _heartbeats = heartbeats(() => `deciding run ${run}`);
      const decided = await decide(services, run, { decision, who, reason });
      return { decided: decided === 'decided' ? 'decided' : 'late' };
    },
    async reconcileProgress({ runId }) {
      return await progressOf(index, runId);
    },
    async finishReconcile({ runId }) {
      const signal = aloneSignal(services);
      using _heartbeats = heartbeats(() => `waiting for the looks of run ${runId}`);
      const summary = await notingTrouble(services, runId, signal, () =>
        finishReconcileRun(services, runId, DEFAULT_WAITING, signal),
      );
      const { agreed, filled, applied, looks, missing } = summary;
      metrics.records('inventory', { agreed, filled, applied, looks, missing });
      return summary;
    },
    async undoReconcile({ runId }) {
      const signal = aloneSignal(services);
      let restored = 0;
      using _heartbeats = heartbeats(() => `undoing run ${runId}: ${restored} restored`);
      const { examples, ...undone } = await undoRun(services, runId, signal, (by) => {
        restored = by.restored;
      });
      const goneNames = examples.map((key) => shownName(formatKey(key)));
      return { runId, ...undone, goneNames, report: [undoneText(runId, undone)] };
    },
  };
}
