import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type Pause, PROGRESS, type Progress } from '../../schema/inputs/control.ts';
import { stateOf } from './workflow-states.ts';

const QUERY_MS = 2_000;

/** How a loop stands that is to run: it does, or it has ended, perhaps while an operator had it paused. */
export type LoopStanding = 'running' | { readonly pause: Pause | undefined };

/**
 * A pause is an operator's, and outlives the loop: one that was ended while it was paused (the federation file did not
 * name its source for a time, or somebody ended it by hand) is paused still when it comes back. An alarm is not: what
 * begins anew tries again. What Temporal's own retention has removed is forgotten.
 */
export async function loopStanding(client: Client, id: string): Promise<LoopStanding> {
  try {
    const ended = await client.workflow.getHandle(id).describe();
    if (ended.status.name === 'RUNNING') return 'running';
    if (stateOf(ended) !== 'paused') return { pause: undefined };
    const since = ended.closeTime?.getTime() ?? Date.now();
    const unknown: Pause = { by: 'operator', reason: 'it was paused when its loop ended', since };
    return { pause: (await pauseOf(client, id, ended.runId)) ?? unknown };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { pause: undefined };
    throw error;
  }
}

/** Of a workflow that has ended, too. @returns undefined where no worker answers for it. */
async function pauseOf(client: Client, id: string, runId: string): Promise<Pause | undefined> {
  const query = () => client.workflow.getHandle(id, runId).query<Progress>(PROGRESS);
  return await client.connection
    .withDeadline(Date.now() + QUERY_MS, query)
    .then(({ pause }) => pause)
    .catch(() => undefined);
}
