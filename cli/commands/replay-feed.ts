import { createHash } from 'node:crypto';
import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { NothingToReplayError } from '../../activities/feed/nothing-to-replay.ts';
import { answerWithin } from '../../activities/observability/answer-within.ts';
import { counted } from '../../schema/counted.ts';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import { SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { ReplayJob, ReplaySummary } from '../../schema/inputs/feed-jobs.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import type { ReplayFeedOutput } from '../../schema/outputs/replay-feed.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTime } from '../format.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { searchAttributesOf } from '../worker/ensure-workflows.ts';
import { follow } from './follow.ts';
import { commandFor, wrongJob } from './replay-usage.ts';

export interface ReplayFeedOptions {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly prefix?: string | undefined;
  /** Records per second, at most. */
  readonly rate?: number | undefined;
}

/**
 * `isthmus replay` of the account's own feed. Asked again for the same range while it runs, it follows the same workflow.
 *
 * @throws NothingToReplayError where the federation names no feed, and the account has none.
 */
export async function replayFeed(options: ReplayFeedOptions, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const { name, account } = federation;
  const range = {
    ...(options.from === undefined ? {} : { from: formatTime(options.from) }),
    ...(options.to === undefined ? {} : { to: formatTime(options.to) }),
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
  };
  const job: ReplayJob = { federation: name, ...range, recordsPerSecond: options.rate };
  const wrong = wrongJob(job, Date.now());
  if (wrong !== undefined) throw new IsthmusError('ISTHMUS_USAGE', wrong);
  if (federation.sources.changeFeed === undefined) await refuseWithoutFeed(federation, call.signal);
  await using temporal = await connectTemporal(call.env);
  // Workflow ids are never encrypted: the prefix itself is not in it.
  const hash = createHash('sha256').update(JSON.stringify(range)).digest('hex').slice(0, 16);
  const handle = await temporal.client.workflow.start('replay', {
    workflowId: workflowIds.replay(account.name, hash),
    taskQueue: taskQueueOf(name),
    args: [job],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowTaskTimeout: '5s',
    staticSummary: `Replay of the Change Feed of ${account.name}`,
    typedSearchAttributes: searchAttributesOf(name, 'replay'),
  });
  const { address, client } = temporal;
  const summary = await follow<ReplaySummary>(handle, call, [
    `While it runs, this follows it: ${printable(commandFor(job, call.config))}`,
    'After its end, the same starts another, which changes nothing where nothing was missing.',
    ...whereItIs({ id: handle.workflowId, address, namespace: client.options.namespace }),
  ]);
  const output: ReplayFeedOutput = { id: handle.workflowId, ...summary };
  call.terminal.print(call.json ? JSON.stringify(output) : formatReplayed(summary));
  return EXIT.good;
}

/** An account that has not answered by then is left to the worker, which may reach it where this does not. */
const ANSWER_MS = 5_000;

/**
 * An account may have a feed that its federation does not name. Where that cannot be told from here, for want of a right
 * or of an answer, the worker tells, as it does of a feed that is named.
 */
async function refuseWithoutFeed({ account }: Federation, signal: AbortSignal): Promise<void> {
  const feed = new AzureFeedStore(blobService(account));
  try {
    await answerWithin(ANSWER_MS, 'the account', signal, (within) => feed.readText(SEGMENTS_FILE, {}, within));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FeedUnavailableError && error.why !== 'forbidden') throw new NothingToReplayError(error);
  }
}

/** How to see what becomes of a workflow, and how to stop it, without a command of ours. */
function whereItIs(where: { readonly id: string; readonly address: string; readonly namespace: string }): string[] {
  const { id, address, namespace } = where;
  const options = `--workflow-id ${id} --address ${address} --namespace ${namespace}`;
  return [
    `Its result is in Temporal's UI under that id, or: temporal workflow result ${options}`,
    `To stop it: Request Cancellation there, or: temporal workflow cancel ${options}`,
  ];
}

/** What a replay came to, in a sentence or two. */
export function formatReplayed({ records, applied, superseded, ignored, looks }: ReplaySummary): string {
  if (records === 0) return 'The feed has no record of that range: nothing was read again.';
  const counts = `${counted(records, 'record')} read again: ${applied} applied, ${superseded} known already, ${ignored} ignored, ${looks} to be looked at.`;
  return applied === 0 && looks === 0 ? `${counts} Nothing was missing.` : counts;
}
