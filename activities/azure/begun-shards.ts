import { Begun } from './begun.ts';
import type { FeedPage } from './feed-page.ts';
import type { FeedShard } from './feed-shard.ts';

/**
 * The shards of a finished segment of which the first page is read while the last pages of the segment before it are
 * committed: with 25,000 records in a shard, a tenth of the time was else spent with no page to commit, or none to read.
 */
export class BegunShards {
  readonly #begun = new Map<string, Begun<FeedPage, 'whole' | 'torn'>>();

  /** Begins the next one of the shards that a consumer begins with. */
  beginOne(shards: readonly FeedShard[]): void {
    const next = shards.find(({ prefix }) => !this.#begun.has(prefix));
    if (next === undefined) return;
    this.#begun.set(next.prefix, new Begun((signal) => next.pages(undefined, true, signal)));
  }

  /** @returns undefined where it was not begun. Whoever takes it asks for its items. */
  take(prefix: string): Begun<FeedPage, 'whole' | 'torn'> | undefined {
    const begun = this.#begun.get(prefix);
    this.#begun.delete(prefix);
    return begun;
  }

  /** Ends those that nobody has taken. */
  async close(): Promise<void> {
    const left = [...this.#begun.values()];
    this.#begun.clear();
    await Promise.all(left.map((begun) => begun[Symbol.asyncDispose]()));
  }
}
