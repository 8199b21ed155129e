import type { Timestamp } from '../../namespace/entry.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Event Grid tries for a day, and writes what it gave up on some hours later at most. The last is for two clocks. */
const DAYS = [2 * DAY, DAY, 0, -HOUR];

/** Event subscriptions whose days are listed apart: what is remembered of a container has an end. */
const MOST_ROOTS = 1_000;

/** `SUBSCRIPTION/2026/11/2/5/ID.json`: in UTC, without leading zeros. */
const DATED = /^((?:.*\/)?)\d{4}\/\d{1,2}\/\d{1,2}\/\d{1,2}\/[^/]+$/;

/**
 * Where in Event Grid's dead-letter container something new can be. Nobody removes anything from it, so that one listing
 * of it all grows for ever; Event Grid writes into a folder for each hour, and only the last ones get any more.
 *
 * All of it is listed where that needs no more requests, and once an hour: what lies elsewhere, or is of another event
 * subscription than what was there before, is found then.
 */
export class DeadLetterFolders {
  /** What stands before the year; none where there are too many. */
  #roots: ReadonlySet<string> = new Set();
  #pages = 0;
  #sweptAt: Timestamp = Number.NEGATIVE_INFINITY;

  /** Prefixes to be listed now. `sweep`: it is all of it, and time to remember what it has. */
  next(now: Timestamp): { readonly prefixes: readonly string[]; readonly sweep: boolean } {
    const age = now - this.#sweptAt;
    if (age < 0 || age >= HOUR) return { prefixes: [''], sweep: true };
    const days = new Set(DAYS.map((ago) => dayOf(now - ago)));
    const recent = [...this.#roots].flatMap((root) => [...days].map((day) => `${root}${day}`));
    const cheaper = recent.length > 0 && recent.length < this.#pages;
    return { prefixes: cheaper ? recent : [''], sweep: false };
  }

  /** All of it was listed, to its end. */
  swept(now: Timestamp, found: SweptFolders): void {
    this.#roots = found.roots.size < MOST_ROOTS ? found.roots : new Set();
    this.#pages = found.pages;
    this.#sweptAt = now;
  }
}

/** What one listing of it all has come by. */
export class SweptFolders {
  /** Where they reach `MOST_ROOTS`, there may be more. */
  readonly roots = new Set<string>();
  pages = 0;

  page(names: readonly string[]): void {
    this.pages++;
    for (const name of names) {
      if (this.roots.size >= MOST_ROOTS) return;
      const root = DATED.exec(name)?.[1];
      if (root !== undefined) this.roots.add(root);
    }
  }
}

function dayOf(time: Timestamp): string {
  const date = new Date(time);
  return `${date.getUTCFullYear()}/${date.getUTCMonth() + 1}/${date.getUTCDate()}/`;
}
