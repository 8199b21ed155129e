import { planOf } from '../../reconciler/plan/plan-of.ts';
import type { ReconcilePlanOutput } from '../../schema/outputs/reconcile-plan.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type OpenAccount, openAccount } from '../open-account.ts';
import { findRun } from './find-run.ts';
import { formatPlan } from './format-plan.ts';
import { planOutput } from './plan-output.ts';

/** `isthmus reconcile plan [RUN]`: exit 1 where there is no such run, or it has none. */
export async function showPlan(runId: number | undefined, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const { terminal, json } = call;
  const plan = await readPlan(open, runId);
  if (typeof plan === 'string') {
    terminal.say(plan);
    return EXIT.no;
  }
  if (json) terminal.print(JSON.stringify(plan));
  else for (const line of formatPlan(plan)) terminal.print(line);
  return EXIT.good;
}

/** @returns why there is none, in a sentence, where there is none. */
export async function readPlan(open: OpenAccount, runId: number | undefined): Promise<ReconcilePlanOutput | string> {
  const run = await findRun(open, runId);
  if (typeof run === 'string') return run;
  const plan = await planOf(open.index, run.id);
  const output = plan && planOutput(plan);
  return output ?? `Run ${run.id} judged nothing of the account: it has no plan.`;
}
