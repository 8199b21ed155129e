import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { ReconcileRunOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';
import { connectTemporal } from '../temporal.ts';
import { requestReconcile } from '../worker/request-reconcile.ts';
import { askReconcile } from './ask.ts';
import { formatPlan } from './format-plan.ts';
import { formatSummary, whatToDo } from './format-summary.ts';
import { readPlan } from './plan.ts';

export interface ReconcileOptions extends ReconcileInput {
  /** Follow it to its end; else only ask for it. */
  readonly wait: boolean;
}

/**
 * `isthmus reconcile run`: exit 1 where it concluded nothing because it must not (rejected report, deletes that were
 * refused), or where it waits for a decision, which this does not wait for.
 */
export async function reconcile({ wait, ...input }: ReconcileOptions, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  const { terminal, json } = call;
  if (!wait) {
    await requestReconcile(temporal.client, federation, input);
    const id = workflowIds.reconcile(federation.account.name);
    terminal.print(json ? JSON.stringify({ id }) : `${id} does it, after what it is at.`);
    return EXIT.good;
  }
  const asked = await askReconcile(temporal, federation, input, call);
  if (asked.kind === 'undone') throw new Error('A reconcile was answered with an undo.');
  if (asked.kind === 'approval') {
    await using open = await openAccount(call);
    const plan = await readPlan(open, asked.runId);
    if (typeof plan === 'string') throw new Error(plan);
    const output: ReconcileRunOutput = { outcome: 'waiting', plan };
    if (json) terminal.print(JSON.stringify(output));
    else for (const line of formatPlan(plan)) terminal.print(line);
    return EXIT.no;
  }
  const { summary } = asked;
  const output: ReconcileRunOutput = { ...summary };
  if (json) terminal.print(JSON.stringify(output));
  else for (const line of formatSummary(summary)) terminal.print(line);
  const advice = whatToDo(input.judge, summary);
  if (advice !== undefined) terminal.say(advice);
  return summary.outcome === 'rejected' || summary.outcome === 'guarded' ? EXIT.no : EXIT.good;
}
