import type { Timestamp } from '../../namespace/entry.ts';

/** Records are minutes late; one that is this late will not come. */
const LATEST_MS = 15 * 60_000;

/**
 * Tells a feed that was switched off from an account where nothing happens: both stand still. Triggers tell of changes
 * that a feed that is still written would have by now.
 */
export class SilentFeed {
  #head: Timestamp | undefined;
  /** The first change that a trigger was seen to tell of after the head. */
  #unmatched: Timestamp | undefined;

  /** @param trigger the newest change that a trigger told of. @returns since when changes are missing, where they are. */
  observe(head: Timestamp | undefined, trigger: Timestamp | undefined, now: Timestamp): Timestamp | undefined {
    if (head === undefined || trigger === undefined) return undefined;
    if (head !== this.#head) this.#unmatched = undefined;
    this.#head = head;
    if (trigger <= head) return undefined;
    this.#unmatched ??= trigger;
    return trigger - head > LATEST_MS && now - this.#unmatched > LATEST_MS ? this.#unmatched : undefined;
  }
}
