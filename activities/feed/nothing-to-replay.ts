import type { Consequence } from '../../schema/errors.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';

/**
 * A replay finds no feed before it has read any of it: there is none, or it may not be read. It ends, where a loop would
 * wait: nothing of it is half-done, and once there is one to read it is asked for again.
 */
export class NothingToReplayError extends FeedUnavailableError {
  constructor(cause: FeedUnavailableError) {
    const instead = '`isthmus reconcile` compares the index with the account itself';
    super(cause.why, `${cause.message}. Nothing was read again; ${instead}`, cause);
  }

  override get consequence(): Consequence {
    return 'give-up';
  }
}
