import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import type { ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import type { JobInput } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { ReconcileOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { connectTemporal, type TemporalClient } from '../temporal.ts';
import { reconcileOptions, requestReconcile } from '../worker/request-reconcile.ts';
import { follow } from './follow.ts';
import { formatReconciled, whatToDo } from './format-reconciled.ts';

export interface ReconcileOptions extends ReconcileInput {
  /** Follow it to its end; else only ask for it. */
  readonly wait: boolean;
}

/** `isthmus reconcile`: exit 1 where it concluded nothing because it must not (rejected report, tripped guard). */
export async function reconcile({ wait, ...input }: ReconcileOptions, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  if (!wait) {
    await requestReconcile(temporal.client, federation, input);
    const id = workflowIds.reconcile(federation.account.name);
    call.terminal.print(call.json ? JSON.stringify({ id }) : `${id} does it, after what it is at.`);
    return EXIT.good;
  }
  const handle = await start(temporal, federation, input, call);
  const summary = await follow<ReconcileSummary>(handle, call);
  const output: ReconcileOutput = summary;
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatReconciled(summary)) call.terminal.print(line);
  const advice = whatToDo(input.judge, summary);
  if (advice !== undefined) call.terminal.say(advice);
  return summary.outcome === 'rejected' || summary.outcome === 'guarded' ? EXIT.no : EXIT.good;
}

/** Where one runs already it is followed to its end first: whoever waits wants what was found after the wish. */
async function start(
  { client }: TemporalClient,
  { name, account }: Federation,
  input: ReconcileInput,
  call: Call,
): Promise<WorkflowHandle> {
  const args: [JobInput & ReconcileInput] = [{ federation: name, ...input }];
  for (;;) {
    try {
      return await client.workflow.start('reconcile', { ...reconcileOptions(name, account.name), args });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      call.terminal.say(`${error.workflowId} runs already; waiting for it to end first.`);
      await follow(client.workflow.getHandle(error.workflowId), call).catch(() => call.signal.throwIfAborted());
    }
  }
}
