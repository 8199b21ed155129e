import { condition, defineSignal, isCancellation, log, setHandler } from '@temporalio/workflow';
import type { ReconcileInput, ReconcileSummary } from '../schema/inputs/activities.ts';
import type { JobInput } from '../schema/inputs/control.ts';
import { WISH } from '../schema/inputs/names.ts';
import { steps } from './activities.ts';
import { Control } from './control.ts';
import { Wishes } from './wishes.ts';

/** Without a judge it begins with the first wish that it is signalled. */
export type ReconcileJob = JobInput & Partial<ReconcileInput>;

const wishSignal = defineSignal<[ReconcileInput]>(WISH);

/**
 * Judgements of the index, one after the other: what it was started for, then what was wished meanwhile. Only a
 * workflow of the account's one id may do it, so that no two drive a run, or end each other's, at once.
 *
 * @returns what the first one found. One that gave up keeps none of the others from being done.
 * @throws where the first one gave up, once the others are done.
 */
export async function reconcile({ federation, judge, ...of }: ReconcileJob): Promise<ReconcileSummary> {
  const control = new Control({ federation, source: 'inventory', title: 'Reconcile' });
  const wishes = new Wishes();
  if (judge !== undefined) wishes.add({ judge, ...of });
  setHandler(wishSignal, (wish) => {
    const dropped = wishes.add(wish);
    if (dropped !== undefined) log.warn('The oldest wish made room for a new one.', { ...dropped });
  });
  if (wishes.empty) await condition(() => !wishes.empty);

  let first: Promise<ReconcileSummary> | undefined;
  for (let wish = wishes.next(); wish !== undefined; wish = wishes.next()) {
    const end = judgeOnce(control, wish);
    first ??= end;
    try {
      await end;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('A reconcile gave up.', { ...wish, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  if (first === undefined) throw new Error('A reconcile ended without a wish.');
  return await first;
}

/** Prepare, stage, judge, finish. Each step may be done again from its start. */
async function judgeOnce(control: Control, input: ReconcileInput): Promise<ReconcileSummary> {
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
