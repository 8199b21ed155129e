import type { Attributes, Source, Timestamp } from './entry.ts';
import type { Epoch } from './epoch.ts';
import type { Key } from './key.ts';
import type { Sequencer } from './sequencer.ts';

/**
 * One event of one blob, as a trigger or the feed told it. Snapshots, control events and system containers
 * have been dropped before: they are no change of a blob.
 */
export interface BlobEvent extends Key {
  readonly kind: 'event';
  readonly source: Extract<Source, 'trigger' | 'feed' | 'replay'>;
  /**
   * `put`: the blob is now as `attributes` say. `delete`: it is gone. `touch`: it changed, but the event does
   * not name all values (metadata, append and page blobs, types not known yet), so it must be looked at.
   */
  readonly effect: 'put' | 'delete' | 'touch';
  /** Present for `put`, and for a `touch` whose event carried an ETag. */
  readonly attributes: Attributes | undefined;
  readonly sequencer: Sequencer | undefined;
  /** Only the feed, from schema 4 on, carries one. */
  readonly epoch: Epoch | undefined;
  readonly time: Timestamp;
  readonly eventId: string;
  /** Azure's word for what was called (`PutBlob`), for `explain`. */
  readonly api: string;
}

/** What a HEAD of the blob said, at the server's time. `entryRevision` is what was read before asking, 0 for no entry. */
export interface LookAnswer extends Key {
  readonly kind: 'look';
  readonly found: Attributes | undefined;
  readonly time: Timestamp;
  readonly entryRevision: number;
  readonly eventId: string;
}

/**
 * A row of an inventory report or of List Blobs: the blob existed, like this, at some moment from `from` to `to`.
 * For a listing page both are the server's time of the page; for a report they are its start and completion.
 */
export interface ListedRow extends Key {
  readonly kind: 'listed';
  readonly found: Attributes;
  readonly from: Timestamp;
  readonly to: Timestamp;
  readonly eventId: string;
}

/** A directory of an account with a hierarchical namespace was deleted, or renamed to another name: at this time nothing was left below it. */
export interface SubtreeGone {
  readonly container: string;
  /** The directory's name, without a closing slash. */
  readonly directory: string;
  readonly time: Timestamp;
  readonly eventId: string;
}

/** One normalised observation of one key by one source. */
export type Change = BlobEvent | LookAnswer | ListedRow;
