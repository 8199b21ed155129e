import { IsthmusError } from '../../schema/errors.ts';
import type { Tx } from '../../schema/index/database.ts';
import { type Run, stepRun } from '../../schema/index/runs.ts';

type Counts = Readonly<Record<string, number>>;

/**
 * Writes a step of a run down, in the transaction of its work.
 *
 * @returns the state as it is after it.
 * @throws IsthmusError `ISTHMUS_RUN_MOVED` where somebody else has taken this step: all of the work is rolled back.
 */
export async function takeStep<State extends { readonly step: number }>(
  tx: Tx,
  run: Run,
  state: State,
  to: { readonly change: Partial<State>; readonly counts: Counts },
): Promise<State> {
  if (!(await stepRun(tx, run.id, state.step, { state: to.change, counts: to.counts }))) {
    throw new IsthmusError('ISTHMUS_RUN_MOVED', `Run ${run.id} was taken on by somebody else.`);
  }
  return { ...state, ...to.change, step: state.step + 1 };
}

/** What was counted before, and what is now. */
export function addedCounts<Before extends object>(before: Before, more: Partial<Counts>): Before & Counts {
  const sums: Record<string, number> = Object.fromEntries<number>(Object.entries(before));
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + (count ?? 0);
  return { ...before, ...sums };
}
