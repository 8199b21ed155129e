import type { PreparedReconcile, ReconcileInput, ReconcileSummary } from '../schema/inputs/activities.ts';
import type { ReconcilePlan, UndoSummary } from '../schema/inputs/reconcile.ts';
import { glances, steps } from './activities.ts';
import type { Control } from './control.ts';
import { formatRun, reachedText, type Seen } from './reconcile-details.ts';
import { watched } from './watched.ts';

/** What came of a run: its end, or the plan that somebody has to approve. */
export type RunEnd = { readonly summary: ReconcileSummary } | { readonly plan: ReconcilePlan };

/** The steps of a run. Each may be done again from its start. */
export class ReconcileRun {
  readonly #control: Control;
  readonly #watches: boolean;

  /** @param watches whether progress is asked for meanwhile: workflows that began before there was such a thing do not. */
  constructor(control: Control, watches: boolean) {
    this.#control = control;
    this.#watches = watches;
  }

  /** Prepare, stage, judge and, unless it is to be approved, finish. */
  async begin(input: ReconcileInput): Promise<RunEnd> {
    const prepared = await this.#control.attempt(
      'finding a judge',
      () => steps.prepareReconcile.executeWithOptions({ summary: `find a judge (${input.judge})` }, [input]),
      { giveUp: true },
    );
    const { runId, judge, reason } = prepared;
    if (judge === 'none') {
      this.#control.done(reason ?? 'nothing to do');
      return { summary: nothingDone(prepared) };
    }
    const { staged } = await this.#step(prepared, `staging the ${judge}`, () =>
      steps.stageReconcile.executeWithOptions({ summary: `stage the ${judge}` }, [{ runId }]),
    );
    this.#control.count({ staged }, `Run ${runId}, judged by ${judge}.`);
    return await this.#judge(prepared, `judging ${staged} names`);
  }

  /** Goes on with a run that was decided. */
  async goOn(runId: number): Promise<RunEnd> {
    return await this.#judge({ runId, judge: 'approval' }, 'going on as was decided');
  }

  /** Takes back what a run deleted. */
  async undo(runId: number): Promise<UndoSummary> {
    const summary = await this.#step({ runId, judge: 'undo' }, `undoing run ${runId}`, () =>
      steps.undoReconcile.executeWithOptions({ summary: `look again at what run ${runId} deleted` }, [{ runId }]),
    );
    const { restored, gone } = summary;
    this.#control.count({ restored }, `Run ${runId} undone: ${restored} restored, ${gone} do not exist any more.`);
    this.#control.done(`undid run ${runId}: ${restored} restored, ${gone} do not exist any more`);
    return summary;
  }

  async #judge(run: Watched, doing: string): Promise<RunEnd> {
    const { runId, judge } = run;
    const { looks, plan } = await this.#step(run, doing, () =>
      steps.judgeReconcile.executeWithOptions({ summary: 'compare with the index, ask for looks' }, [{ runId }]),
    );
    if (plan !== undefined) return { plan };
    this.#control.count({ looks }, `Run ${runId}, judged by ${judge}.`);
    const summary = await this.#step(run, 'writing the drift report', () =>
      steps.finishReconcile.executeWithOptions({ summary: 'write the drift report' }, [{ runId }]),
    );
    const { outcome, listed, agreed } = summary;
    this.#control.reached('writing the drift report', (summary.report ?? []).join('\n\n'));
    this.#control.done(`${outcome}: ${listed} listed, ${agreed} agreed, ${summary.looks} looked at`);
    return { summary };
  }

  async #step<Result>(run: Watched, doing: string, work: () => Promise<Result>): Promise<Result> {
    const watching = this.#watches ? () => watched(work, this.#glance(run)) : work;
    return await this.#control.attempt(doing, watching, { giveUp: true });
  }

  #glance({ runId, judge }: Watched): () => Promise<void> {
    let first: Seen | undefined;
    return async () => {
      const progress = await glances.reconcileProgress.executeWithOptions({ summary: 'how far it is' }, [{ runId }]);
      const seen = { at: Date.now(), progress };
      if (first === undefined || first.progress.phase !== progress.phase) first = seen;
      this.#control.reached(reachedText(seen, first), formatRun(runId, judge, progress.causes));
    };
  }
}

interface Watched {
  readonly runId: number;
  readonly judge: string;
}

function nothingDone({ runId, reason }: PreparedReconcile): ReconcileSummary {
  const nothing = { listed: 0, agreed: 0, filled: 0, applied: 0, looks: 0, missing: 0 };
  return { runId, reason, judge: 'none', outcome: 'nothing-to-do', ...nothing };
}
