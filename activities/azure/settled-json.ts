import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import type { FeedText } from '../../schema/ports/feed-store.ts';

/** How long a file that cannot be read is taken for one that is just being rewritten. */
export interface Patience {
  /** 1 for a copy, which nobody writes. */
  readonly tries: number;
  sleep(signal: AbortSignal): Promise<void>;
}

/**
 * Reads a JSON file of the feed, which may be rewritten meanwhile: one that cannot be parsed is not yet whole, a few
 * times, and only then damaged.
 */
export async function readSettled<T>(
  read: () => Promise<FeedText | 'unchanged' | undefined>,
  parse: (text: string) => T,
  patience: Patience,
  signal: AbortSignal,
): Promise<{ readonly value: T; readonly etag: string } | 'unchanged' | undefined> {
  for (let tries = 1; ; tries++) {
    const file = await read();
    if (typeof file !== 'object') return file;
    try {
      return { value: parse(file.text), etag: file.etag };
    } catch (error) {
      if (!(error instanceof FeedCorruptError) || tries >= patience.tries) throw error;
    }
    await patience.sleep(signal);
  }
}
