import { recordJournal } from '../../schema/index/journal.ts';
import { decideRun, type RunDecision, readRun, updateRun } from '../../schema/index/runs.ts';
import { transact } from '../../schema/index/transact.ts';
import type { Judging } from '../judging.ts';

/** What a person decides of a run that waits. `expired` is nobody's: another run came first. */
export interface DecisionOfRun {
  readonly decision: RunDecision;
  readonly who: string;
  readonly reason?: string | undefined;
}

export type DecideResult = 'decided' | 'not-waiting' | 'no-such-run';

/**
 * Decides a run that waits in phase `approve`, once. Approved, it goes on in phase `want`: each name is looked at and
 * deleted where the blob is gone. Else it is in phase `wait`, where finishing it refuses what it held.
 */
export async function decide(
  { index, account }: Pick<Judging, 'index' | 'account'>,
  runId: number,
  by: DecisionOfRun,
): Promise<DecideResult> {
  const run = await readRun(index.db, runId);
  if (run === undefined || run.accountId !== account.id) return 'no-such-run';
  return transact(index, async (tx): Promise<DecideResult> => {
    if (!(await decideRun(tx, runId, by))) return 'not-waiting';
    await updateRun(tx, runId, { state: { phase: by.decision === 'approved' ? 'want' : 'wait' } });
    const { decision, who, reason } = by;
    await recordJournal(tx, account.id, [{ kind: `reconcile-${decision}`, detail: { run: runId, who, reason } }]);
    return 'decided';
  });
}
