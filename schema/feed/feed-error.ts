import { IsthmusError } from '../errors.ts';

/** A feed file is damaged where it must be whole. The account's feed stops there until somebody skips or mends it. */
export class FeedCorruptError extends IsthmusError {
  readonly path: string;
  /** Of the block that is bad, in bytes; 0 for a header and for a JSON file. */
  readonly offset: number;
  readonly why: string;

  constructor(path: string, offset: number, why: string, cause?: unknown) {
    super('ISTHMUS_FEED_CORRUPT', `${path} at byte ${offset}: ${why}`, { cause });
    this.path = path;
    this.offset = offset;
    this.why = why;
  }
}

/** Records that were not read are gone: retention took them. A reconcile heals what they said. */
export class FeedGapError extends IsthmusError {
  /** The file that should be there. */
  readonly missing: string;

  constructor(missing: string, what: string) {
    super(
      'ISTHMUS_FEED_GAP',
      `${missing} ${what}: records that were not read are missing, which a reconcile must heal`,
    );
    this.missing = missing;
  }
}

/**
 * Why there is no feed to read. `not-enabled`: the account has no feed container, and none was read before.
 * `hierarchical`: it has a hierarchical namespace, whose changes no feed tells. `forbidden`: it refuses the reader.
 * `missing`: the feed that was read is gone. `disabled`: it is still there, and no longer written.
 */
export type FeedUnavailableReason = 'not-enabled' | 'hierarchical' | 'forbidden' | 'missing' | 'disabled';

/** There is no feed to read. Triggers and inventory go on. */
export class FeedUnavailableError extends IsthmusError {
  readonly why: FeedUnavailableReason;

  constructor(why: FeedUnavailableReason, message: string, cause?: unknown) {
    super('ISTHMUS_FEED_UNAVAILABLE', message, { cause });
    this.why = why;
  }
}
