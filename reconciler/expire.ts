import { standingRuns } from '../schema/index/standing-runs.ts';
import { finishReconcileRun } from './finish.ts';
import type { Judging } from './judging.ts';
import { decide } from './plan/decide.ts';

/** Looks of a run that waited have long been answered, or never will be. */
const AT_ONCE = { mostMs: 0, pollMs: 1 };

/** Ends the runs that wait for a decision, as this one judges everything anew: what they held back is refused. */
export async function expireWaiting(judging: Judging, by: number, signal: AbortSignal): Promise<void> {
  for (const { id, isDecided } of await standingRuns(judging.index.db, judging.account.id)) {
    if (isDecided || id >= by) continue;
    const reason = 'it judges everything anew';
    const became = await decide(judging, id, { decision: 'expired', who: `run ${by}`, reason });
    if (became === 'decided') await finishReconcileRun(judging, id, AT_ONCE, signal);
  }
}
