import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ReconcileInput } from '../schema/inputs/activities.ts';
import type { JobInput, ScheduledReconcileInput } from '../schema/inputs/control.ts';
import { workflowIds } from '../schema/inputs/names.ts';

/**
 * What the schedule starts, as it adds the time to the id of what it starts: the reconcile itself has one id for
 * the account, and goes on by itself. Where one runs already the turn is left out.
 */
export async function scheduledReconcile({ federation, account }: ScheduledReconcileInput): Promise<string> {
  const workflowId = workflowIds.reconcile(account);
  const job: JobInput & ReconcileInput = { federation, judge: 'auto' };
  try {
    await startChild('reconcile', {
      workflowId,
      args: [job],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowTaskTimeout: '5s',
      staticSummary: `Reconcile of ${account}`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return `${workflowId} runs already.`;
    throw error;
  }
  return `${workflowId} is started.`;
}
