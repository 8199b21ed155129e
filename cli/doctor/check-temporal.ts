import type { Client } from '@temporalio/client';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { taskQueueOf } from '../../schema/inputs/names.ts';
import type { Environment } from '../environment.ts';
import { type WorkflowStatus, workflowStatus } from '../status/workflow-status.ts';
import { connectTemporal, temporalConfig } from '../temporal.ts';
import { loopsOf, unnamedLoops } from '../worker/ensure-workflows.ts';
import { readOwner } from '../worker/schedule-owner.ts';
import { searchAttributesOf } from '../worker/search-attributes.ts';
import { type Asking, ask } from './ask.ts';
import { type Finding, good, wrong } from './finding.ts';
import { judgeTemporal, type TemporalFacts } from './judge-temporal.ts';

const WORKFLOW_TASKS = 1;
const NOT_FOUND = 5;

/** @param index see `Owner`. */
export async function* checkTemporal(
  federation: Federation,
  index: string | undefined,
  env: Environment,
  asking: Asking,
): AsyncGenerator<Finding> {
  const asked = await ask(asking, 'Temporal', async (signal) => {
    await using temporal = await connectTemporal(env);
    const { client, address } = temporal;
    return await client.withAbortSignal(signal, () => readFacts(client, address, federation, index));
  });
  if (asked.answered) {
    yield good('temporal.answers', `Temporal answers at ${asked.answer.address}`);
    yield* judgeTemporal(asked.answer, Date.now());
    return;
  }
  if (asked.error instanceof IsthmusError && asked.error.code === 'ISTHMUS_USAGE') {
    yield wrong('temporal.answers', asked.error.message, 'export TEMPORAL_ADDRESS=HOST:7233');
    return;
  }
  const address = temporalConfig(env).connectionOptions.address ?? 'localhost:7233';
  yield wrong(
    'temporal.answers',
    `Temporal cannot be asked at ${address}: ${messageOf(asked.error).split('\n')[0]}`,
    'Start it, or correct TEMPORAL_ADDRESS (and TEMPORAL_API_KEY or TEMPORAL_TLS_*, where it wants them): temporal operator cluster health --address ADDRESS',
  );
}

async function readFacts(
  client: Client,
  address: string,
  federation: Federation,
  index: string | undefined,
): Promise<TemporalFacts> {
  const { name, account } = federation;
  const taskQueue = taskQueueOf(name);
  const { namespace } = client.options;
  const { workflowService } = client;
  const { serverVersion } = await workflowService.getSystemInfo({});
  const described = await workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === NOT_FOUND) return undefined;
    throw error;
  });
  const mine = { federation: name, index };
  const about = {
    address,
    namespace,
    serverVersion: serverVersion || undefined,
    taskQueue,
    account: account.name,
    mine,
  };
  if (described === undefined)
    return {
      ...about,
      retentionMs: undefined,
      state: 0,
      attributes: {},
      polledAt: [],
      owner: undefined,
      loops: undefined,
      sources: undefined,
    };
  const attributes = await searchAttributesOf(client);
  const owner = await readOwner(client, account.name);
  const queue = { namespace, taskQueue: { name: taskQueue }, taskQueueType: WORKFLOW_TASKS };
  const { pollers } = await workflowService.describeTaskQueue(queue);
  // They answer by a worker; without search attributes they are not found.
  const loops = pollers?.length ? await workflowStatus(client, federation).catch(() => undefined) : undefined;
  // Where a worker of this federation has been for this account, its loops are those of the file that it had.
  const sources = loops && owner?.federation === name ? await sourcesOf(client, federation, loops) : undefined;
  return {
    ...about,
    retentionMs: msOf(described.config?.workflowExecutionRetentionTtl),
    state: described.namespaceInfo?.state ?? 0,
    attributes,
    polledAt: (pollers ?? []).map(({ lastAccessTime }) => msOf(lastAccessTime)),
    owner,
    loops,
    sources,
  };
}

async function sourcesOf(
  client: Client,
  federation: Federation,
  loops: readonly WorkflowStatus[],
): Promise<TemporalFacts['sources']> {
  const named = new Set(loopsOf(federation).map(({ id }) => id));
  const missing = loops.filter(({ id, running }) => named.has(id) && !running).map(({ id }) => id);
  return { unnamed: await unnamedLoops(client, federation), missing };
}

/** A duration or a moment of protobuf's. */
function msOf(
  time: { seconds?: { toNumber(): number } | number | null; nanos?: number | null } | null | undefined,
): number {
  const seconds = typeof time?.seconds === 'object' ? (time.seconds?.toNumber() ?? 0) : (time?.seconds ?? 0);
  return seconds * 1000 + (time?.nanos ?? 0) / 1e6;
}
