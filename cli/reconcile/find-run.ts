import { type Run, readRun, recentRuns } from '../../schema/index/runs.ts';
import { standingRuns } from '../../schema/index/standing-runs.ts';
import type { OpenAccount } from '../open-account.ts';

/**
 * @param runId default: the run that waits for a decision longest, else the newest.
 * @returns why there is none, in a sentence, where there is none.
 */
export async function findRun(
  { index, account }: Pick<OpenAccount, 'index' | 'account'>,
  runId?: number,
): Promise<Run | string> {
  if (runId === undefined) {
    const waiting = (await standingRuns(index.db, account.id)).find(({ isDecided }) => !isDecided);
    if (waiting !== undefined) return await findRun({ index, account }, waiting.id);
    const [newest] = await recentRuns(index.db, account.id, { limit: 1 });
    return newest ?? 'There was no run yet: `isthmus reconcile run` is one.';
  }
  const run = await readRun(index.db, runId);
  if (run?.accountId === account.id) return run;
  return `There is no run ${runId}: \`isthmus reconcile history\` lists them.`;
}
