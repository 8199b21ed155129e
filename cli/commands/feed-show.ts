import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { FeedShowOutput } from '../../schema/outputs/feed-show.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askIndex } from '../feed/show/ask-index.ts';
import { formatShow } from '../feed/show/format-show.ts';
import { indexOutput } from '../feed/show/index-output.ts';
import { showFeed } from '../feed/show/show-feed.ts';
import { formatTime } from '../format.ts';
import { workflowStatus } from '../status/workflow-status.ts';
import { connectTemporal } from '../temporal.ts';

/** `isthmus feed show`: of the feed without the index what can be said of it alone, and of both without Temporal. */
export async function feedShow(call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const store = new AzureFeedStore(blobService(federation.account));
  const [side, loop] = await Promise.all([askIndex(store, call), askLoop(federation, call)]);
  const known = 'problem' in side ? undefined : side;
  const { feed, segments, shards } = await showFeed(store, known, call.signal);
  const gone = feed.exists === true && feed.segmentsAhead === null;
  const output: FeedShowOutput = {
    federation: federation.name,
    account: federation.account.name,
    at: formatTime(Date.now()),
    feed,
    index: known === undefined ? null : indexOutput(known, gone),
    indexProblem: 'problem' in side ? side.problem : null,
    loop,
    segments,
    shards,
  };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatShow(output)) call.terminal.print(line);
  return EXIT.good;
}

/** Temporal may be away; what stands without it is shown all the same. */
async function askLoop(federation: Federation, call: Call): Promise<FeedShowOutput['loop']> {
  try {
    await using temporal = await connectTemporal(call.env);
    const loops = await workflowStatus(temporal.client, federation);
    const feed = loops.find(({ source }) => source === 'feed');
    if (feed === undefined) return null;
    const { running, state, doing, reason } = feed;
    return { state: running ? state : 'not running', doing, reason };
  } catch {
    call.signal.throwIfAborted();
    return null;
  }
}
