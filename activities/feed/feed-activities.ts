import { Context } from '@temporalio/activity';
import type { Activities } from '../../schema/inputs/activities.ts';
import { heartbeats } from '../heartbeat.ts';
import type { Services } from '../services.ts';
import { replayFeed } from './replay.ts';
import { rewindFeed } from './rewind.ts';
import { skipFeedBlock } from './skip.ts';
import { type TailOptions, tailFeed } from './tail-feed.ts';

type FeedActivities = Pick<Activities, 'tailFeed' | 'rewindFeed' | 'skipFeedBlock' | 'replayFeed'>;

/** Everything that is done with the account's change feed. */
export function feedActivities(services: Services, options?: TailOptions): FeedActivities {
  return {
    tailFeed: tailFeed(services, options),
    replayFeed: replayFeed(services),
    async rewindFeed(input) {
      using _heartbeats = heartbeats(() => 'rewinding');
      return await rewindFeed(services, input, Context.current().cancellationSignal);
    },
    async skipFeedBlock(input) {
      using _heartbeats = heartbeats(() => 'looking at the block');
      return await skipFeedBlock(services, input, Context.current().cancellationSignal);
    },
  };
}
