import type { FeedStore } from '../../../schema/ports/feed-store.ts';

/** A feed to be walked. */
export interface WalkedFeed {
  readonly store: FeedStore;
  /**
   * What a copy lacks was lost when it was copied. An account may lack the same by right: a chunk is made before it is
   * written to, and retention may take chunks before the manifests that name them.
   */
  readonly isCopy: boolean;
}
