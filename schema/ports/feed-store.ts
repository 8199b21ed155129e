import type { Timestamp } from '../../namespace/entry.ts';

/** Asks for a file only if it is no longer the one with this ETag. */
export interface FeedCondition {
  readonly ifNoneMatch?: string | undefined;
}

/** A small file, whole. */
export interface FeedText {
  readonly text: string;
  readonly etag: string;
}

/** Bytes of a file, and the version of it that they were read from. */
export interface FeedBytes {
  readonly bytes: Uint8Array;
  /** Empty where the answer named none, as a 416 does. */
  readonly etag: string;
}

/** A file as a listing shows it; an open one has grown since. */
export interface FeedFile {
  readonly path: string;
  readonly length: number;
  readonly etag: string;
  /** When it was written to last. */
  readonly modifiedAt: Timestamp;
}

/**
 * The files of a `$blobchangefeed` container: the account's own, or a copy kept in a folder. Paths are inside the
 * container, without its name. Every method throws `FeedUnavailableError` where there is no feed, with the reason.
 */
export interface FeedStore {
  /** @returns undefined where there is no such file, `unchanged` where it still has the condition's ETag. */
  readText(path: string, condition: FeedCondition, signal: AbortSignal): Promise<FeedText | 'unchanged' | undefined>;
  /** Files below a path prefix, in name order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<FeedFile>;
  /**
   * At most `length` bytes from `offset`; none at the end (the service answers 416 or an empty 200). Fewer than asked
   * for: the file ended there. Undefined where the file is gone, `unchanged` where it still has the condition's ETag.
   */
  readRange(
    path: string,
    offset: number,
    length: number,
    condition: FeedCondition,
    signal: AbortSignal,
  ): Promise<FeedBytes | 'unchanged' | undefined>;
}
