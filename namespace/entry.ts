import type { Epoch } from './epoch.ts';
import type { Key } from './key.ts';
import type { Sequencer } from './sequencer.ts';

/** Milliseconds since 1970, whole. */
export type Timestamp = number;

/** Which source told. `listing` is List Blobs or an inventory row, `look` a HEAD, `sweep` the computed death of a container's old incarnation. */
export type Source = 'trigger' | 'feed' | 'replay' | 'look' | 'listing' | 'sweep';

export type BlobType = 'BlockBlob' | 'AppendBlob' | 'PageBlob';

/** What a blob is like, as far as its last change told. Absent means not told, never empty. */
export interface Attributes {
  /** Without quotes, as Azure prints it (`0x8D7...`). */
  readonly etag: string;
  /** Bytes. */
  readonly length: number;
  readonly blobType?: BlobType | undefined;
  readonly contentType?: string | undefined;
  /** Base64, as the blob's Content-MD5. */
  readonly md5?: string | undefined;
  readonly lastModified?: Timestamp | undefined;
  readonly tier?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Which change, from which source, under which rules, put an entry in its state, and when (invariant 10). */
export interface Provenance {
  readonly source: Source;
  /** The event's id, `path@offset/index` of a feed record without one, or the run that looked or listed. */
  readonly eventId: string;
  /** When the source says that it happened. */
  readonly time: Timestamp;
  readonly ruleRevision: number;
}

/**
 * The index's row for a key, live or tombstone.
 *
 * Its clock is `epoch`, `sequencer`, `seen` and `look`; the eight rules of the clock say how they are
 * compared. Whoever writes an entry moves `revision`; whoever read one commits only if it has not moved.
 */
export interface Entry extends Key {
  /** False for a tombstone: the blob is gone and the row keeps its clock so that a late create cannot bring it back. */
  readonly live: boolean;
  /** Present exactly when live. */
  readonly attributes: Attributes | undefined;
  /** None while only a look or a listing has told of this key. */
  readonly sequencer: Sequencer | undefined;
  readonly epoch: Epoch | undefined;
  /** The event's time, or the look's. */
  readonly seen: Timestamp;
  /** The server's time of the look that made this state, or none where an event made it. */
  readonly look: Timestamp | undefined;
  /** A look is queued and has not answered: until it does, nothing is applied (rule 6). */
  readonly lookDue: boolean;
  /** Rises with every change of this row, by one; the first is 1. */
  readonly revision: number;
  readonly provenance: Provenance;
}
