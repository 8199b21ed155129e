import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { counted } from '../../schema/counted.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { Run } from '../../schema/index/runs.ts';
import type { JobInput, Progress } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import { checkDecide, DECIDE, type DecideRequest } from '../../schema/inputs/reconcile.ts';
import type { ReconcileDecideOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { ANSWER_WITHIN_MS, inTime } from '../commands/in-time.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { typed } from '../feed/typed.ts';
import { type OpenAccount, openAccount } from '../open-account.ts';
import { sayIfSlow } from '../say-if-slow.ts';
import { connectTemporal, type TemporalClient } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { reconcileOptions } from '../worker/request-reconcile.ts';
import { decisionText } from './decision-text.ts';
import { findRun } from './find-run.ts';
import { followRun } from './follow-run.ts';
import { formatSummary } from './format-summary.ts';
import { decisionOutput } from './plan-output.ts';

/** `isthmus reconcile approve RUN` and `reject RUN`: exit 1 where the run does not wait for a decision. */
export async function decideRun(
  { wait, ...request }: DecideRequest & { readonly wait: boolean },
  call: Call,
): Promise<ExitCode> {
  const { terminal, json } = call;
  const { run: runId, decision } = request;
  const words = typed(`reconcile ${decision === 'approved' ? 'approve' : 'reject'}`, '12 --reason "why"', {
    who: '--as',
  });
  const checked = checkDecide(request, words);
  if ('problem' in checked) throw new IsthmusError('ISTHMUS_USAGE', checked.problem);
  await using open = await openAccount(call);
  const run = await findRun(open, runId);
  const not = typeof run === 'string' ? run : whyNot(run);
  if (not !== undefined || typeof run === 'string') {
    terminal.say(printable(not ?? ''));
    return EXIT.no;
  }
  await using temporal = await connectTemporal(call.env);
  const refused = await order(temporal, open, checked.value, call);
  if (refused !== undefined) {
    terminal.say(printable(refused));
    return EXIT.no;
  }
  terminal.say(printable(whatNow(run, checked.value)));
  const summary = wait ? await followRun(temporal, open, runId, call) : undefined;
  const { who, reason } = checked.value;
  const output: ReconcileDecideOutput = {
    runId,
    decision,
    who,
    reason: reason ?? null,
    summary: summary ? { ...summary } : null,
  };
  if (json) terminal.print(JSON.stringify(output));
  else if (summary !== undefined) for (const line of formatSummary(summary)) terminal.print(line);
  return EXIT.good;
}

/** Why nothing can be decided of a run; undefined where it waits. */
function whyNot(run: Run): string | undefined {
  if (run.waitingSince !== undefined && run.outcome === undefined) return undefined;
  const decided = decisionText(decisionOutput(run));
  if (decided !== undefined) return `Run ${run.id} was ${decided}.`;
  const how = run.outcome === undefined ? 'it has not come to its plan yet' : `it ended: ${run.outcome}`;
  return `Run ${run.id} does not wait for a decision, as ${how}.`;
}

function whatNow({ id, counts }: Run, { decision, who }: DecideRequest): string {
  const names = counted(counts.missing ?? 0, 'name');
  return decision === 'approved'
    ? `Run ${id} is approved by ${who}: ${names} are looked at, and deleted where the blob is gone. \`isthmus reconcile undo ${id}\` takes it back.`
    : `Run ${id} is rejected by ${who}: ${names} stay as they are.`;
}

/** @returns why it was refused, where it was. */
async function order(
  { client }: TemporalClient,
  { federation }: OpenAccount,
  request: DecideRequest,
  call: Call,
): Promise<string | undefined> {
  const { name, account } = federation;
  const id = workflowIds.reconcile(account.name);
  const args: [JobInput] = [{ federation: name }];
  using _hint = sayIfSlow(call.terminal, `${id} has not answered yet: does \`isthmus worker\` run?`);
  const waiting = { waitedFor: () => [id], withinMs: ANSWER_WITHIN_MS, look: 'isthmus reconcile plan' };
  try {
    await inTime(client, waiting, call, () =>
      // The workflow may have been ended by hand: the run waits all the same, and is found again.
      client.workflow.executeUpdateWithStart<(job: JobInput) => Promise<unknown>, Progress, [DecideRequest]>(DECIDE, {
        startWorkflowOperation: new WithStartWorkflowOperation('reconcile', {
          ...reconcileOptions(name, account.name),
          workflowIdConflictPolicy: 'USE_EXISTING',
          args,
        }),
        args: [request],
      }),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    if (error.cause.type !== 'ISTHMUS_REFUSED')
      throw new Error(`${id} did not decide: ${error.cause.message}`, { cause: error });
    return error.cause.message;
  }
}
