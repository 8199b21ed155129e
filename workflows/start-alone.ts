import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { JobInput } from '../schema/inputs/control.ts';
import type { WorkflowType } from '../schema/inputs/names.ts';

/**
 * Starts a workflow that runs under one id, for a schedule, which adds the time to the id of what it starts itself. It
 * goes on by itself; where one runs already the turn is left out.
 */
export async function startAlone<Job extends JobInput>(
  type: WorkflowType,
  workflowId: string,
  job: Job,
  summary: string,
): Promise<string> {
  try {
    await startChild(type, {
      workflowId,
      args: [job],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowTaskTimeout: '5s',
      staticSummary: summary,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return `${workflowId} runs already.`;
    throw error;
  }
  return `${workflowId} is started.`;
}
