import { createHash } from 'node:crypto';
import { IsthmusError } from '../../schema/errors.ts';
import { checkReplay, type ReplayJob, type ReplaySummary } from '../../schema/inputs/feed-jobs.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';
import type { ReplayFeedOutput } from '../../schema/outputs/replay-feed.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTime } from '../format.ts';
import { connectTemporal } from '../temporal.ts';
import { searchAttributesOf } from '../worker/ensure-workflows.ts';
import { follow } from './follow.ts';

export interface ReplayFeedOptions {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly prefix?: string | undefined;
  /** Records per second, at most. */
  readonly rate?: number | undefined;
}

/** `isthmus replay` of the account's own feed. Asked again for the same range while it runs, it follows the same workflow. */
export async function replayFeed(options: ReplayFeedOptions, call: Call): Promise<ExitCode> {
  const { name, account } = await readFederation(call.config, call.env);
  const range = {
    ...(options.from === undefined ? {} : { from: formatTime(options.from) }),
    ...(options.to === undefined ? {} : { to: formatTime(options.to) }),
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
  };
  const job: ReplayJob = { federation: name, ...range, recordsPerSecond: options.rate };
  const checked = checkReplay(job);
  if ('problem' in checked) throw new IsthmusError('ISTHMUS_USAGE', checked.problem);
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
  const summary = await follow<ReplaySummary>(handle, call);
  const output: ReplayFeedOutput = { id: handle.workflowId, ...summary };
  call.terminal.print(call.json ? JSON.stringify(output) : formatReplayed(summary));
  return EXIT.good;
}

/** What a replay came to, in a sentence or two. */
export function formatReplayed({ records, applied, superseded, ignored, looks }: ReplaySummary): string {
  if (records === 0) return 'The feed has no record of that range: nothing was read again.';
  const counts = `${records} records read again: ${applied} applied, ${superseded} known already, ${ignored} ignored, ${looks} to be looked at.`;
  return applied === 0 && looks === 0 ? `${counts} Nothing was missing.` : counts;
}
