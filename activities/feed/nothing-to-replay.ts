import type { Consequence } from '../../schema/errors.ts';
import { FeedUnavailableError } from '../../schema/feed/feed-error.ts';

/**
 * A replay finds no feed before it has read any of it. It ends, where a loop would wait: nothing of it is half-done, and
 * no `resume` brings a feed that was never written.
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
