import type { JudgeSinkJob, JudgeSinkSummary } from '../schema/inputs/judge-sink.ts';
import { glances, steps } from './activities.ts';
import { Control } from './control.ts';
import { formatRun, reachedText, type Seen } from './reconcile-details.ts';
import { watched } from './watched.ts';

/** Compares the index with what is really in a sink, and has the stubs written that are not as they must be. */
export async function judgeSink({ federation, ...input }: JudgeSinkJob): Promise<JudgeSinkSummary> {
  const { sink } = input;
  const control = new Control({ federation, source: `sink:${sink}`, title: `Judge of sink ${sink}` });
  const step = <Result>(doing: string, work: () => Promise<Result>) => control.attempt(doing, work, { giveUp: true });
  const { runId } = await step('starting a run', () =>
    steps.prepareJudgeSink.executeWithOptions({ summary: 'start a run' }, [input]),
  );
  let first: Seen | undefined;
  const glance = async () => {
    const progress = await glances.reconcileProgress.executeWithOptions({ summary: 'how far it is' }, [{ runId }]);
    const seen = { at: Date.now(), progress };
    if (first?.progress.phase !== progress.phase) first = seen;
    control.reached(reachedText(seen, first ?? seen), formatRun(runId, `sink ${sink}`, progress.causes));
  };
  const summary = await step('judging', () =>
    watched(
      () =>
        steps.judgeSink.executeWithOptions({ summary: `walk ${sink}, compare it with the index` }, [{ runId, sink }]),
      glance,
    ),
  );
  const { outcome, reason, drift, files, live, repaired, open, waiting } = summary;
  control.count({ files, live, repaired, open, waiting }, formatRun(runId, `sink ${sink}`, drift));
  control.done(reason === undefined ? outcome : `${outcome}: ${reason}`);
  return summary;
}
