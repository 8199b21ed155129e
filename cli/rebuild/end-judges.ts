import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import { workflowIds } from '../../schema/inputs/names.ts';

/**
 * Ends whoever judges by an index that is no more, or waits there for a decision: of the account, and of each sink. Left
 * alone, it would ask for its run for ever, and keep the next from being begun.
 */
export async function endJudges(
  client: Client,
  { account, sinks }: Pick<Federation, 'account' | 'sinks'>,
): Promise<void> {
  const judges = Object.keys(sinks).map((sink) => workflowIds.judgeSink(account.name, sink));
  await Promise.all([workflowIds.reconcile(account.name), ...judges].map((id) => end(client, id)));
}

async function end(client: Client, id: string): Promise<void> {
  try {
    await client.workflow.getHandle(id).terminate('The index is rebuilt.');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
