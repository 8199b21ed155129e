import type { Federation } from '../../../schema/federation/federation.ts';
import type { FeedShowOutput } from '../../../schema/outputs/feed-show.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import type { Call } from '../../call.ts';
import { formatTime } from '../../format.ts';
import { workflowStatus } from '../../status/workflow-status.ts';
import { connectTemporal } from '../../temporal.ts';
import { askIndex } from './ask-index.ts';
import { indexOutput, NOT_NAMED } from './index-output.ts';
import { showFeed } from './show-feed.ts';

/** Says what can be said: of the feed without the index, and of both without Temporal. */
export async function collectShow(federation: Federation, store: FeedStore, call: Call): Promise<FeedShowOutput> {
  const [side, loop] = await Promise.all([askIndex(store, call), askLoop(federation, call)]);
  const known = 'problem' in side ? undefined : side;
  const { feed, segments, shards } = await showFeed(store, known, call.signal);
  const gone = feed.exists === true && feed.segmentsAhead === null;
  return {
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
}

async function askLoop(federation: Federation, call: Call): Promise<FeedShowOutput['loop']> {
  if (federation.sources.changeFeed === undefined) return { ...NOT_NAMED, doing: null };
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
