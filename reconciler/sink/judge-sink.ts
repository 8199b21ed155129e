import { counted, isOrAre } from '../../schema/counted.ts';
import { assert, hasCode, messageOf } from '../../schema/errors.ts';
import { readAccount } from '../../schema/index/accounts.ts';
import { countFindings } from '../../schema/index/findings.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { finishRun, readRun, recentRuns, startRun } from '../../schema/index/runs.ts';
import type { JudgeSinkSummary } from '../../schema/inputs/judge-sink.ts';
import type { Waiting } from '../finish.ts';
import { StagingLost } from '../staging/staging.ts';
import { checkSink } from './check-sink.ts';
import { compareSink } from './compare-sink.ts';
import { repairSink } from './repair-sink.ts';
import { refuseAll, settleSink } from './settle-sink.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import { SinkLedger } from './sink-ledger.ts';
import { SinkStaging } from './sink-staging.ts';
import { stageSink } from './stage-sink.ts';
import { summaryOf } from './summary.ts';

/** Temporary files that are older than this were left by a process that died. */
const ORPHAN_AGE = 3_600_000;

/**
 * Starts a run that judges a sink. The run that an attempt of the same wish began is taken up; one of another wish is left
 * behind, as only one workflow judges a sink.
 *
 * @param wish tells one request from another.
 */
export async function prepareSinkRun(
  { index, account }: SinkJudging,
  sink: string,
  { wish, approved }: { readonly wish: string; readonly approved: boolean },
): Promise<number> {
  const runs = await recentRuns(index.db, account.id, { limit: 10, judge: 'sink', sink });
  for (const run of runs) {
    if (run.state.wish === wish) return run.id;
    if (run.outcome === undefined) {
      await finishRun(index.db, run.id, { outcome: 'failed', reason: 'it was left behind for another run' });
    }
  }
  const state = { wish, approved };
  return await startRun(index.db, account.id, { judge: 'sink', prefix: '', sink, state });
}

/**
 * Does what is left of a run that judges a sink: walk, compare, check, repair, settle. Each phase goes on where the
 * ledger says that an attempt which died stopped; a run that has ended is left as it is.
 */
export async function judgeSink(
  judging: SinkJudging,
  judged: JudgedSink,
  runId: number,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<JudgeSinkSummary> {
  const { index, account } = judging;
  const ledger = await SinkLedger.open(index, runId);
  const staging = new SinkStaging(index, account.id, runId);
  if (!ledger.ended) {
    try {
      await phases(judging, judged, ledger, staging, waiting, signal);
    } catch (error) {
      if (error instanceof StagingLost) await ledger.restart();
      signal.throwIfAborted();
      // It is refused, or its root is gone: nothing that is read there says anything of stubs.
      if (!hasCode(error, 'ISTHMUS_SINK')) throw error;
      await refuseAll(judging, ledger);
      await end(judging, ledger, { outcome: 'guarded', reason: messageOf(error) });
    }
  }
  await staging.drop();
  const run = await readRun(index.db, runId);
  assert(run !== undefined, `run ${runId} is gone`);
  return summaryOf(run);
}

async function phases(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  if (ledger.state.phase === 'walk') {
    const known = await readAccount(judging.index.db, judging.account.name);
    if (known?.horizon === undefined) {
      const reason = 'no judge has been over the whole account yet: the index knows too little';
      return end(judging, ledger, { outcome: 'nothing-to-do', reason });
    }
    await stageSink(judging, judged, ledger, staging, signal);
  }
  if (ledger.state.phase === 'compare') {
    await compareSink(judging, ledger, staging, signal);
  }
  if (ledger.state.phase === 'check') {
    await checkSink(judging, judged, ledger, staging, signal);
  }
  if (ledger.state.phase === 'repair') {
    await repairSink(judging, judged, ledger, staging, signal);
  }
  const settled = await settleSink(judging, judged, ledger, staging, waiting, signal);
  const orphans = await judged.sink.cleanUp(ORPHAN_AGE, signal);
  const counts: Record<string, number> = { ...settled, 'cause.orphaned-temporary': orphans };
  for (const { state, count } of await countFindings(judging.index.db, ledger.run.id)) {
    counts[`state.${state}`] = (counts[`state.${state}`] ?? 0) + count;
  }
  const { guarded } = ledger.state;
  if (guarded !== null) {
    const reason = `${guarded}; to mend it all the same: isthmus reconcile sink ${judged.name} --approve`;
    return end(judging, ledger, { outcome: 'guarded', reason }, counts);
  }
  const { waiting: left = 0 } = settled;
  const reason = left === 0 ? undefined : `${counted(left, 'stub')} ${isOrAre(left)} not written yet`;
  return end(judging, ledger, { outcome: 'complete', reason }, counts);
}

async function end(
  { log }: SinkJudging,
  ledger: SinkLedger,
  { outcome, reason }: Pick<JudgeSinkSummary, 'outcome' | 'reason'>,
  counts: Readonly<Record<string, number>> = {},
): Promise<void> {
  const { run } = ledger;
  if (outcome === 'guarded') {
    log.error({ run: run.id, sink: run.sink }, `Alarm: nothing is mended in sink ${run.sink}: ${reason}`);
  }
  await ledger.finish({ outcome, reason }, counts, async (tx) => {
    if (outcome !== 'guarded') return;
    const detail = { run: run.id, sink: run.sink, reason };
    await recordJournal(tx, run.accountId, [{ kind: 'sink-guarded', detail }]);
  });
}
