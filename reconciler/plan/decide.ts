import { IsthmusError } from '../../schema/errors.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { decideRun, type RunDecision, readRun, stepRun } from '../../schema/index/runs.ts';
import { transact } from '../../schema/index/transact.ts';
import type { Judging } from '../judging.ts';
import { parseRunState, type RunState } from '../run/run-state.ts';
import { serverTime } from '../run/server-time.ts';

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
    const { step } = parseRunState(run.state);
    const approved: Partial<RunState> = { phase: 'want' };
    const refused: Partial<RunState> = { phase: 'wait', afterFinding: 0, judgedAt: await serverTime(tx) };
    const state = by.decision === 'approved' ? approved : refused;
    if (!(await stepRun(tx, runId, step, { state }))) {
      throw new IsthmusError('ISTHMUS_RUN_MOVED', `Run ${runId} moved while it was decided: decide again.`);
    }
    const { decision, who, reason } = by;
    await recordJournal(tx, account.id, [{ kind: `reconcile-${decision}`, detail: { run: runId, who, reason } }]);
    return 'decided';
  });
}
