import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedCursor } from '../../schema/index/feed-cursors.ts';

/** A record that was refused for its own sake and that somebody may ask for: it goes to the journal. */
export interface RefusedRecord {
  readonly reason: 'unstorable-name';
  readonly subject: string;
  readonly eventId: string;
}

/** Records that are applied in one transaction, together with the cursor after them. */
export interface FeedPage {
  readonly events: readonly BlobEvent[];
  /** Records that are no change of a blob, by their reason. With `events` they make up `records`. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly refused: readonly RefusedRecord[];
  readonly records: number;
  /** By the record's own word for its type. */
  readonly byType: Readonly<Record<string, number>>;
  /** After this page; the one before it for a page without records. None while the feed has no segment. */
  readonly cursor: FeedCursor | undefined;
  /** The newest moment that the feed is known to have something of. */
  readonly head: Timestamp | undefined;
  /** The newest record's time among those read so far, or `head` once everything is read. */
  readonly readTo: Timestamp | undefined;
  /** On the last page, which has no records: the end of the newest open segment is reached, and nothing there is unfinished. */
  readonly caughtUp: boolean;
}
