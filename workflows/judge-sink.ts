import type { JudgeSinkJob, JudgeSinkSummary } from '../schema/inputs/judge-sink.ts';
import { steps } from './activities.ts';
import { Control } from './control.ts';
import { formatRun } from './reconcile-details.ts';

/** Compares the index with what is really in a sink, and has the stubs written that are not as they must be. */
export async function judgeSink({ federation, ...input }: JudgeSinkJob): Promise<JudgeSinkSummary> {
  const { sink } = input;
  const control = new Control({ federation, source: `sink:${sink}`, title: `Judge of sink ${sink}` });
  const step = <Result>(doing: string, work: () => Promise<Result>) => control.attempt(doing, work, { giveUp: true });
  const { runId } = await step('starting a run', () =>
    steps.prepareJudgeSink.executeWithOptions({ summary: 'start a run' }, [input]),
  );
  const summary = await step(`judging, run ${runId}`, () =>
    steps.judgeSink.executeWithOptions({ summary: `walk ${sink}, compare it with the index` }, [{ runId, sink }]),
  );
  const { outcome, reason, drift, files, live, repaired, open, waiting } = summary;
  control.count({ files, live, repaired, open, waiting }, formatRun(runId, `sink ${sink}`, drift));
  control.done(reason === undefined ? outcome : `${outcome}: ${reason}`);
  return summary;
}
