import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { type LoopInput, PAUSE, type Pause, type PauseRequest } from '../../schema/inputs/control.ts';
import { stateOf } from './workflow-states.ts';

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
    return { pause: (await lastPause(client, id, ended.runId)) ?? unknown };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { pause: undefined };
    throw error;
  }
}

/**
 * The last pause of a run, by its history: no worker is needed, which may be the one that asks, or poll another task
 * queue since the federation was renamed.
 */
async function lastPause(client: Client, id: string, runId: string): Promise<Pause | undefined> {
  const { payloadConverter } = client.options.loadedDataConverter;
  const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
  let pause: Pause | undefined;
  let now = 0;
  for (const event of events ?? []) {
    const {
      eventTime,
      workflowExecutionStartedEventAttributes: start,
      workflowTaskStartedEventAttributes: task,
    } = event;
    // A workflow's clock stands at the start of its task.
    if (task) now = tsToMs(eventTime);
    const [input] = start?.input?.payloads ?? [];
    if (input) pause = payloadConverter.fromPayload<LoopInput>(input).carried?.pause;
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
    const [request] = update?.args?.payloads ?? [];
    if (update?.name !== PAUSE || !request) continue;
    pause = { by: 'operator', reason: payloadConverter.fromPayload<PauseRequest>(request).reason.trim(), since: now };
  }
  return pause;
}
