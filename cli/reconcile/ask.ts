import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import type { JobInput } from '../../schema/inputs/control.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import { ASK, type Asked, type ReconcileWish } from '../../schema/inputs/wish.ts';
import type { Call } from '../call.ts';
import { follow } from '../commands/follow.ts';
import type { TemporalClient } from '../temporal.ts';
import { reconcileOptions } from '../worker/request-reconcile.ts';

/** Asks the one workflow that reconciles the account, which is started where none runs, and follows it to its answer. */
export async function askReconcile(
  { client }: TemporalClient,
  { name, account }: Federation,
  wish: ReconcileWish,
  call: Call,
): Promise<Asked> {
  const args: [JobInput] = [{ federation: name }];
  const startWorkflowOperation = new WithStartWorkflowOperation<(job: JobInput) => Promise<unknown>>('reconcile', {
    ...reconcileOptions(name, account.name),
    workflowIdConflictPolicy: 'USE_EXISTING',
    args,
  });
  const handle = client.workflow.getHandle(workflowIds.reconcile(account.name));
  return await follow(handle, call, [], () =>
    client.workflow.executeUpdateWithStart<(job: JobInput) => Promise<unknown>, Asked, [ReconcileWish]>(ASK, {
      startWorkflowOperation,
      args: [wish],
    }),
  );
}
