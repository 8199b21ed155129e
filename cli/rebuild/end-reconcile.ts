import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../schema/inputs/names.ts';

/** Ends the reconcile that is at work in an index that is no more, or waits there for a decision. */
export async function endReconcile(client: Client, account: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowIds.reconcile(account)).terminate('The index is rebuilt.');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
