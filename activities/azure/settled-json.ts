import { setTimeout as sleep } from 'node:timers/promises';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import type { FeedText } from '../../schema/ports/feed-store.ts';

/** How long a file that cannot be read is taken for one that is just being rewritten. */
export interface Patience {
  /** 1 for a copy, which nobody writes. */
  readonly tries: number;
  sleep(signal: AbortSignal): Promise<void>;
}

const TRIES = 5;
const WAIT_MS = 200;

/** With a file of a feed that is being written: a second, about. `wait` rejects where the signal is aborted first. */
export function patience(
  wait: (ms: number, signal: AbortSignal) => Promise<void> = async (ms, signal) =>
    void (await sleep(ms, undefined, { signal })),
): Patience {
  return { tries: TRIES, sleep: (signal) => wait(WAIT_MS, signal) };
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
