import type { Timestamp } from '../../namespace/entry.ts';

/**
 * After this long without anything taken, on-call is told. The rest of invariant 9's minute is for whoever tells it: a
 * glance every 5 s, an account that lets it wait for 4 s, a scrape every 10 s.
 */
export const SILENCE_MS = 45_000;

/** One look at where a source stands. */
export interface Standing {
  readonly source: string;
  /** There is news that was not taken. */
  readonly behind: boolean;
  /** Anything that moves when the source is consumed: a position, a time. */
  readonly progress: string;
}

/**
 * Tells a source that is slow from one that has stopped: silent is who has had news for a while and took
 * nothing of it. Looked at every few seconds; what it remembers is when progress was last seen.
 */
export class SilenceWatch {
  readonly #seen = new Map<string, { progress: string; since: Timestamp }>();

  /** @returns since when the source has had news and taken nothing of it, as far as was watched; undefined where it is not behind. */
  observe({ source, behind, progress }: Standing, now: Timestamp): Timestamp | undefined {
    const before = this.#seen.get(source);
    if (!behind) {
      this.#seen.delete(source);
      return undefined;
    }
    if (before?.progress === progress) return before.since;
    this.#seen.set(source, { progress, since: now });
    return now;
  }
}
