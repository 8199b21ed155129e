import { type Glance, SourceWatch } from '../../../activities/observability/source-watch.ts';
import { hasCode, messageOf } from '../../../schema/errors.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import { type FeedGap, readGaps } from '../../../schema/index/feed-gaps.ts';
import { type FeedRewind, readRewinds } from '../../../schema/index/feed-rewinds.ts';
import { type FeedSkip, readSkips } from '../../../schema/index/feed-skips.ts';
import { readFeedStanding } from '../../../schema/index/feed-standing.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import type { Call } from '../../call.ts';
import { openAccount } from '../../open-account.ts';
import type { ReadSoFar } from './show-feed.ts';

/** The newest of each. */
const SHOWN = 10;
const REWINDS_SHOWN = 3;

/** What the index knows of the feed. */
export interface IndexSide extends ReadSoFar {
  /** By the same rule as `status`, the log and the metrics. */
  readonly glance: Glance;
  readonly gaps: readonly FeedGap[];
  readonly skips: readonly (FeedSkip & { readonly skippedAt: number })[];
  readonly rewinds: readonly FeedRewind[];
}

/** @returns why there is nothing to say, where the index does not answer or no worker has prepared it. */
export async function askIndex(store: FeedStore, call: Call): Promise<IndexSide | { readonly problem: string }> {
  try {
    await using open = await openAccount(call);
    const { index, account, federation } = open;
    const watch = new SourceWatch({ federation, feed: store, triggers: undefined });
    const glance = await watch.glance(index.db, account, Date.now(), call.signal);
    return {
      glance,
      cursor: await readCursor(index.db, account.id),
      standing: glance.feed?.standing ?? (await readFeedStanding(index.db, account.id)),
      gaps: await readGaps(index.db, account.id, { limit: SHOWN }),
      skips: await readSkips(index.db, account.id, SHOWN),
      rewinds: await readRewinds(index.db, account.id, REWINDS_SHOWN),
    };
  } catch (error) {
    // A federation that cannot be read was met before.
    if (!hasCode(error, 'ISTHMUS_INDEX_UNAVAILABLE') && !hasCode(error, 'ISTHMUS_USAGE')) throw error;
    return { problem: messageOf(error) };
  }
}
