import type { Timestamp } from '../../namespace/entry.ts';
import { hasCode } from '../../schema/errors.ts';
import type { Clock } from '../../schema/ports/clock.ts';
import type { FeedEnd, FeedPage, FeedStart, SegmentReading, ShardReading } from '../azure/feed-page.ts';
import type { FeedReader } from '../azure/feed-reader.ts';
import { inLanes } from './lanes.ts';

/** What becomes of what is read. */
export interface FeedConsumer {
  /** Every segment before this one is wholly taken. @returns whether it is to be read. */
  begin(segment: SegmentReading): Promise<boolean>;
  /** The pages of a shard come one after the other, those of different shards at once. `since`: when it was asked for. */
  take(page: FeedPage, since: Timestamp): Promise<void>;
  /** Asked after each page: whether that was enough. */
  enough(): boolean;
}

/**
 * Reads from a place to the feed's end, or until the consumer has enough. Segment follows segment; the shards of one
 * are read side by side. Where a block is damaged, the other shards of its segment are still read to their end.
 */
export async function drainFeed(
  reader: FeedReader,
  from: FeedStart | undefined,
  consumer: FeedConsumer,
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<FeedEnd | 'enough'> {
  const segments = reader.segments(from, signal);
  try {
    for (;;) {
      const step = await segments.next();
      if (step.done === true) return step.value;
      if (!(await consumer.begin(step.value))) return 'enough';
      const shard = (each: ShardReading, either: AbortSignal) => drainShard(each, consumer, clock, either);
      await inLanes(step.value.shards, reader.lanes, signal, shard, (error) =>
        hasCode(error, 'ISTHMUS_FEED_CORRUPT') ? 'last' : 'stop',
      );
      if (consumer.enough()) return 'enough';
    }
  } finally {
    await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
  }
}

async function drainShard(
  shard: ShardReading,
  consumer: FeedConsumer,
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<void> {
  const pages = shard.pages(signal);
  try {
    while (!signal.aborted && !consumer.enough()) {
      const since = clock.now();
      const step = await pages.next();
      if (step.done === true) return;
      await consumer.take(step.value, since);
    }
  } finally {
    await pages.return('torn');
  }
}
