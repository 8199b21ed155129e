import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedCursor, ShardPosition } from '../../schema/index/feed-cursors.ts';

/** Where reading begins: a cursor, whatever its versions. */
export interface FeedStart extends Pick<FeedCursor, 'segment'> {
  readonly shards: Readonly<Record<string, ShardPosition>>;
}

/** A record that was refused for its own sake and that somebody may ask for: it goes to the journal. */
export interface RefusedRecord {
  readonly reason: 'unstorable-name';
  readonly subject: string;
  readonly eventId: string;
}

/** Records of one shard that are applied in one transaction, together with the shard's position after them. */
export interface FeedPage {
  /** Path of the segment's manifest. */
  readonly segment: string;
  /** Path prefix of the shard. */
  readonly shard: string;
  /** Where the shard's cursor stands before this page; none where nothing of the shard was read. */
  readonly from: ShardPosition | undefined;
  /** Where it stands after this page: always at a block's beginning. */
  readonly to: ShardPosition;
  readonly events: readonly BlobEvent[];
  /** Records that are no change of a blob, by their reason. With `events` they make up `records`. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly refused: readonly RefusedRecord[];
  /** At least one. */
  readonly records: number;
  /** Of the blocks that hold them. */
  readonly bytes: number;
  /** By the record's own word for its type. */
  readonly byType: Readonly<Record<string, number>>;
  /** The newest event's time. */
  readonly newest: Timestamp | undefined;
}

/** One shard of a segment, read from its position to the end that it has now. */
export interface ShardReading {
  readonly prefix: string;
  /**
   * Downloads ahead of the decoder, and decodes one page ahead of its consumer.
   *
   * @returns `torn` where bytes of an unfinished block remain: the rest has not come yet.
   * @throws `FeedCorruptError`, `FeedGapError`, `FeedUnavailableError`; the pages before it are good.
   */
  pages(signal: AbortSignal): AsyncGenerator<FeedPage, 'whole' | 'torn'>;
}

export interface SegmentReading {
  /** Of its manifest. */
  readonly path: string;
  readonly begin: Timestamp;
  /** A later segment is open: this one is read to its end for good, and then the next. */
  readonly final: boolean;
  readonly shards: readonly ShardReading[];
}

/** What is known once the newest open segment has been read. */
export interface FeedEnd {
  /** The newest moment that the feed is known to have something of. */
  readonly head: Timestamp | undefined;
  /** The end of the newest open segment is reached, and nothing there is unfinished. */
  readonly caughtUp: boolean;
  /** The newest segment that was opened, as the feed says; none while it has no segment. */
  readonly lastConsumable: Timestamp | undefined;
}
