import type { ReconcileInput, ReconcileSummary } from '../schema/inputs/activities.ts';
import type { JobInput } from '../schema/inputs/control.ts';
import { steps } from './activities.ts';
import { Control } from './control.ts';

export type ReconcileJob = JobInput & ReconcileInput;

/** One judgement of the index by a complete listing: prepare, stage, judge, finish. Each step may be done again from its start. */
export async function reconcile(job: ReconcileJob): Promise<ReconcileSummary> {
  const { federation, ...input } = job;
  const control = new Control({ federation, source: 'inventory', title: 'Reconcile' });
  const step = <Result>(doing: string, work: () => Promise<Result>) => control.attempt(doing, work, { giveUp: true });

  const { runId, judge, reason } = await step('finding a judge', () =>
    steps.prepareReconcile.executeWithOptions({ summary: `find a judge (${input.judge})` }, [input]),
  );
  if (judge === 'none') {
    control.done(reason ?? 'nothing to do');
    return finished({ runId, reason });
  }
  const run = { runId };
  const { staged } = await step(`staging the ${judge}`, () =>
    steps.stageReconcile.executeWithOptions({ summary: `stage the ${judge}` }, [run]),
  );
  control.count({ staged }, `Run ${runId}, judged by ${judge}.`);
  const { looks } = await step(`judging ${staged} names`, () =>
    steps.judgeReconcile.executeWithOptions({ summary: 'compare with the index, ask for looks' }, [run]),
  );
  control.count({ looks }, `Run ${runId}, judged by ${judge}.`);
  const summary = await step('writing the drift report', () =>
    steps.finishReconcile.executeWithOptions({ summary: 'write the drift report' }, [run]),
  );
  control.done(`${summary.outcome}: ${summary.listed} listed, ${summary.agreed} agreed, ${summary.looks} looked at`);
  return summary;
}

function finished(run: { runId: number; reason: string | undefined }): ReconcileSummary {
  const nothing = { listed: 0, agreed: 0, filled: 0, applied: 0, looks: 0, missing: 0 };
  return { ...run, judge: 'none', outcome: 'nothing-to-do', ...nothing };
}
