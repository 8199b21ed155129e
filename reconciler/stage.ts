import { runBefore } from '../schema/index/runs.ts';
import { readHeard } from './causes/heard.ts';
import { stageReport } from './inventory/stage-report.ts';
import type { Judging } from './judging.ts';
import { stageListing } from './listing/stage-listing.ts';
import { RunLedger } from './run/ledger.ts';
import { Staging, StagingLost } from './staging/staging.ts';

/**
 * Reads what the judge says to its end. Taken up where an earlier attempt stopped; a run that is further
 * already, or has ended, is left as it is.
 *
 * @returns the ledger, in phase `compare` (`present` where nothing is staged) or ended (the report was rejected).
 */
export async function stageRun(judging: Judging, runId: number, signal: AbortSignal): Promise<RunLedger> {
  const ledger = await RunLedger.open(judging.index, runId);
  if (ledger.ended || ledger.state.phase !== 'stage') return ledger;
  const staging = new Staging(judging.index, { accountId: judging.account.id, runId });
  await onLoss(ledger, staging, async () => {
    await staging.create();
    await (ledger.run.judge === 'listing'
      ? stageListing(judging, ledger, staging, signal)
      : stageReport(judging, ledger, staging, signal));
  });
  if (ledger.ended) {
    await staging.drop();
    return ledger;
  }
  const heard = await readHeard(judging);
  await ledger.step(async (tx) => ({
    state: {
      phase: ledger.state.keepsNames ? 'compare' : 'present',
      heard,
      previousRun: (await runBefore(tx, ledger.run)) ?? null,
    },
  }));
  return ledger;
}

/** Where the server lost what was staged, the run begins anew, and the error says so to whoever tries again. */
export async function onLoss<T>(ledger: RunLedger, staging: Staging, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StagingLost) {
      await ledger.restart();
      await staging.clear();
    }
    throw error;
  }
}
