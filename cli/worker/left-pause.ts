import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { type Pause, PROGRESS, type Progress } from '../../schema/inputs/control.ts';
import { stateOf } from './workflow-states.ts';

/** Whoever asks may be the worker that is to answer, and be at its start. */
const ANSWER_WITHIN_MS = 15_000;
const AGAIN_MS = 500;

/** How a loop stands that is to run: it does, or it has ended, perhaps while an operator had it paused. */
export type LoopStanding = 'running' | { readonly pause: Pause | undefined };

/**
 * A pause is an operator's, and outlives the loop: one that was ended while it was paused (the federation file did not
 * name its source for a time, or somebody ended it by hand) is paused still when it comes back. An alarm is not: what
 * begins anew tries again. What Temporal's own retention has removed is forgotten.
 *
 * @param withinMs how long a worker is waited for that tells why it was paused.
 */
export async function loopStanding(client: Client, id: string, withinMs = ANSWER_WITHIN_MS): Promise<LoopStanding> {
  try {
    const ended = await client.workflow.getHandle(id).describe();
    if (ended.status.name === 'RUNNING') return 'running';
    if (stateOf(ended) !== 'paused') return { pause: undefined };
    const since = ended.closeTime?.getTime() ?? Date.now();
    const unknown: Pause = { by: 'operator', reason: 'it was paused when its loop ended', since };
    return { pause: (await pauseOf(client, ended, withinMs)) ?? unknown };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { pause: undefined };
    throw error;
  }
}

/**
 * What a workflow that has ended still tells. Temporal refuses at once to ask where no worker was seen for 20 s, so that
 * it is asked again.
 *
 * @returns undefined where no worker answers for it in time.
 */
async function pauseOf(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  withinMs: number,
): Promise<Pause | undefined> {
  const query = () => client.workflow.getHandle(workflowId, runId).query<Progress>(PROGRESS);
  for (const end = Date.now() + withinMs; Date.now() < end; ) {
    try {
      return (await client.connection.withDeadline(end, query)).pause;
    } catch {
      await sleep(AGAIN_MS);
    }
  }
  return undefined;
}
