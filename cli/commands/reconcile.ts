import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import type { ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import type { JobInput } from '../../schema/inputs/control.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import type { ReconcileOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import { connectTemporal, type TemporalClient } from '../temporal.ts';
import { searchAttributesOf } from '../worker/ensure-workflows.ts';
import { workflowStates } from '../worker/workflow-states.ts';
import { follow } from './follow.ts';

export interface ReconcileOptions extends ReconcileInput {
  /** Follow it to its end; else only start it. */
  readonly wait: boolean;
}

/** `isthmus reconcile`: exit 1 where it concluded nothing because it must not (rejected report, tripped guard). */
export async function reconcile({ wait, ...input }: ReconcileOptions, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  for (const { id, type } of await workflowStates(temporal.client, federation.name)) {
    if (type !== 'reconcile') continue;
    call.terminal.say(`${id} is running; waiting for it to end first.`);
    await follow(temporal.client.workflow.getHandle(id), call).catch(() => call.signal.throwIfAborted());
  }
  const handle = await start(temporal, federation.name, federation.account.name, input, call);
  if (!wait) {
    call.terminal.print(call.json ? JSON.stringify({ id: handle.workflowId }) : `${handle.workflowId} is started.`);
    return EXIT.good;
  }
  const summary = await follow<ReconcileSummary>(handle, call);
  const output: ReconcileOutput = summary;
  if (call.json) call.terminal.print(JSON.stringify(output));
  else {
    const { outcome, judge, reason, runId, ...counts } = summary;
    call.terminal.print(`run ${runId}, judged by ${judge}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`);
    call.terminal.print(formatTable(Object.entries(counts).map(([name, count]) => [`  ${name}`, String(count)])));
  }
  return summary.outcome === 'rejected' || summary.outcome === 'guarded' ? EXIT.no : EXIT.good;
}

async function start(
  { client }: TemporalClient,
  federation: string,
  account: string,
  input: ReconcileInput,
  call: Call,
): Promise<WorkflowHandle> {
  const args: [JobInput & ReconcileInput] = [{ federation, ...input }];
  for (;;) {
    try {
      return await client.workflow.start('reconcile', {
        workflowId: workflowIds.reconcile(account),
        taskQueue: taskQueueOf(federation),
        args,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowTaskTimeout: '5s',
        staticSummary: `Reconcile of ${account}, asked for`,
        typedSearchAttributes: searchAttributesOf(federation, 'inventory'),
      });
    } catch (error) {
      // Visibility is a second behind: another one may run all the same.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await follow(client.workflow.getHandle(error.workflowId), call).catch(() => call.signal.throwIfAborted());
    }
  }
}
