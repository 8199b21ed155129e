import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import { PROGRESS, type Progress } from '../../schema/inputs/control.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';
import { loopsOf } from '../worker/ensure-workflows.ts';
import { workflowStates } from '../worker/workflow-states.ts';

export type WorkflowStatus = NonNullable<StatusOutput['workflows']>[number];

const QUERY_MS = 2_000;

/**
 * Every loop that the federation must have, and every job that runs. A loop answers for itself where a worker
 * is there to let it; else its search attributes tell.
 */
export async function workflowStatus(client: Client, federation: Federation): Promise<readonly WorkflowStatus[]> {
  const loops = loopsOf(federation);
  const jobs = (await workflowStates(client, federation.name)).filter(
    ({ id }) => !loops.some((loop) => loop.id === id),
  );
  return await Promise.all([
    ...loops.map(({ id, source }) => statusOf(client, id, source)),
    ...jobs.map(({ id, source }) => statusOf(client, id, source)),
  ]);
}

async function statusOf(client: Client, id: string, source: string): Promise<WorkflowStatus> {
  const handle = client.workflow.getHandle(id);
  const unknown = { id, source, running: true, state: 'unknown' as const, doing: null, reason: null, since: null };
  try {
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') return { ...unknown, running: false, reason: `it is ${status.name.toLowerCase()}` };
    const deadline = Date.now() + QUERY_MS;
    const query = () => handle.query<Progress>(PROGRESS);
    const { state, doing, pause } = await client.connection.withDeadline(deadline, query);
    const since = pause === undefined ? null : formatTime(pause.since);
    return { ...unknown, state, doing, reason: pause?.reason ?? null, since };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { ...unknown, running: false, reason: 'it was never started' };
    return { ...unknown, reason: 'no worker answers for it' };
  }
}
