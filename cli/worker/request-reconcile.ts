import type { Client } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import type { JobInput } from '../../schema/inputs/control.ts';
import { taskQueueOf, WISH, workflowIds } from '../../schema/inputs/names.ts';
import { searchAttributesOf } from './ensure-workflows.ts';

/** Asks for a reconcile, after the one that runs, if any. Returns once Temporal has taken the wish. */
export async function requestReconcile(
  client: Client,
  { name, account }: Pick<Federation, 'name' | 'account'>,
  input: ReconcileInput,
): Promise<void> {
  const job: JobInput = { federation: name };
  await client.workflow.signalWithStart('reconcile', {
    ...reconcileOptions(name, account.name),
    args: [job],
    signal: WISH,
    signalArgs: [input],
  });
}

/** How the one workflow that reconciles an account is started: its id lets no second one run beside it. */
export function reconcileOptions(federation: string, account: string) {
  return {
    workflowId: workflowIds.reconcile(account),
    taskQueue: taskQueueOf(federation),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowTaskTimeout: '5s',
    staticSummary: `Reconcile of ${account}`,
    typedSearchAttributes: searchAttributesOf(federation, 'inventory'),
  } as const;
}
