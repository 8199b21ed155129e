import type { Timestamp } from '../../namespace/entry.ts';
import { latest } from '../../namespace/latest.ts';
import type { PageCounts } from '../../schema/index/apply-events.ts';
import type { FeedCursor, ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedPlace, FeedTurn } from '../../schema/inputs/activities.ts';
import type { FeedEnd, FeedPage } from '../azure/feed-page.ts';

const MOST_PLACES = 20;

/** What a turn of the tail has done so far: its heartbeat, its result, and what the source's row says. */
export class TurnProgress {
  readonly #began: Timestamp;
  #records = 0;
  #applied = 0;
  #superseded = 0;
  #bytes = 0;
  #appliedTo: Timestamp | undefined;
  #head: Timestamp | undefined;
  #caughtUp = false;
  #segment: string | undefined;
  #places: Readonly<Record<string, ShardPosition>> = {};

  constructor(began: Timestamp) {
    this.#began = began;
  }

  get records(): number {
    return this.#records;
  }

  get head(): Timestamp | undefined {
    return this.#head;
  }

  get appliedTo(): Timestamp | undefined {
    return this.#appliedTo;
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Of the turn so far. */
  recordsPerSecond(now: Timestamp): number {
    return Math.round((this.#records * 1000) / Math.max(1_000, now - this.#began));
  }

  committed(page: FeedPage, counts: PageCounts): void {
    this.#records += page.records;
    this.#applied += counts.applied;
    this.#superseded += counts.superseded;
    this.#bytes += page.bytes;
    this.#appliedTo = latest(this.#appliedTo, page.newest);
    this.#caughtUp = false;
  }

  standsAt(cursor: Pick<FeedCursor, 'segment'> & { readonly shards: Readonly<Record<string, ShardPosition>> }): void {
    this.#segment = cursor.segment;
    this.#places = cursor.shards;
  }

  /** The feed is read to the end that it has now; where nothing there is unfinished, to its head. */
  ended({ head, caughtUp }: Pick<FeedEnd, 'head' | 'caughtUp'>): void {
    this.#head = latest(this.#head, head);
    this.#caughtUp = caughtUp;
    if (caughtUp) this.#appliedTo = latest(this.#appliedTo, head);
  }

  /** Where the feed stands, for people. */
  get places(): { readonly segment?: string | undefined; readonly shards: readonly FeedPlace[] } {
    const shards = Object.entries(this.#places).slice(0, MOST_PLACES);
    return {
      segment: this.#segment,
      shards: shards.map(([shard, { chunk, offset }]) => ({ shard, chunk, offset })),
    };
  }

  turn(now: Timestamp): Omit<FeedTurn, 'state'> {
    const [head, to] = [this.#head, this.#appliedTo];
    return {
      records: this.#records,
      applied: this.#applied,
      superseded: this.#superseded,
      bytes: this.#bytes,
      seconds: Math.max(0, now - this.#began) / 1000,
      caughtUp: this.#caughtUp,
      appliedTo: to,
      lagSeconds: head === undefined || to === undefined ? undefined : Math.max(0, head - to) / 1000,
      ...this.places,
    };
  }
}
