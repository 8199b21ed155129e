import type { Timestamp } from '../../namespace/entry.ts';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import { beginSegment, type FeedCursor, readCursor } from '../../schema/index/feed-cursors.ts';
import { transact } from '../../schema/index/transact.ts';
import type { FeedPage, SegmentReading } from '../azure/feed-page.ts';
import type { FeedReader } from '../azure/feed-reader.ts';
import type { Services } from '../services.ts';
import { TrustWatch } from '../trust-watch.ts';
import { commitPage } from './commit-page.ts';
import { CursorLost } from './cursor-lost.ts';
import type { Deadline } from './deadline.ts';
import { drainFeed, type FeedConsumer } from './drain-feed.ts';
import { rereadWhereDistrusted } from './reread.ts';
import type { Standing } from './standing.ts';
import type { ToldFirst } from './told-first.ts';
import type { TurnProgress } from './turn-progress.ts';

export interface TailTurn {
  readonly reader: FeedReader;
  readonly progress: TurnProgress;
  readonly standing: Standing;
  readonly toldFirst: ToldFirst;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** Reads the feed from the stored cursor to its end, again and again, and commits what it reads. */
export class TailPass implements FeedConsumer {
  readonly #services: Services;
  readonly #turn: TailTurn;
  readonly #trust: TrustWatch;
  #cursor: FeedCursor | undefined;
  /** What there is to say of gaps that are not healed. */
  gaps: string | undefined;

  constructor(services: Services, turn: TailTurn) {
    this.#services = services;
    this.#turn = turn;
    this.#trust = new TrustWatch(services);
  }

  /** As it is committed, as far as this attempt knows. */
  get cursor(): FeedCursor | undefined {
    return this.#cursor;
  }

  get signal(): AbortSignal {
    return this.#turn.signal;
  }

  /** @returns whether the feed's end was reached before the turn was over. */
  async run(): Promise<'end' | 'enough'> {
    const { account, clock, index } = this.#services;
    const { progress, reader, signal, toldFirst } = this.#turn;
    await rereadWhereDistrusted(this.#services, signal);
    // Read anew for each pass, since an operator may have rewound it.
    this.#cursor = await readCursor(index.db, account.id);
    await toldFirst.begins(this.#cursor?.version);
    if (this.#cursor !== undefined) progress.standsAt(this.#cursor);
    const end = await drainFeed(reader, this.#cursor, this, clock, signal).finally(async () => {
      await this.#trust.flush();
      await toldFirst.flush();
    });
    if (end !== 'enough') {
      progress.ended(end);
      return 'end';
    }
    if (!signal.aborted) await this.#tellHead();
    return 'enough';
  }

  /** How far behind it is would else be known at the feed's end only. */
  async #tellHead(): Promise<void> {
    const { progress, signal } = this.#turn;
    const file = await this.#services.feed.readText(SEGMENTS_FILE, {}, signal);
    if (typeof file !== 'object') return;
    try {
      progress.ended({ head: parseSegments(file.text).lastConsumable, caughtUp: false });
    } catch (error) {
      // It may be just rewritten: the next pass waits until it is whole, and says so where it is damaged.
      if (!(error instanceof FeedCorruptError)) throw error;
    }
  }

  async begin({ path }: SegmentReading): Promise<boolean> {
    if (path === this.#cursor?.segment) return true;
    const { account, index } = this.#services;
    const from = this.#cursor?.version ?? 0;
    const version = await transact(index, (tx) => beginSegment(tx, account.id, from, path));
    if (version === 'lost') throw new CursorLost();
    this.#cursor = { segment: path, version, shards: {} };
    this.#turn.toldFirst.movedOn(version);
    return true;
  }

  async take(page: FeedPage, since: Timestamp): Promise<void> {
    const { clock, metrics } = this.#services;
    const { progress, standing, toldFirst } = this.#turn;
    const cursor = this.#cursor;
    if (cursor === undefined) throw new CursorLost();
    const shard = cursor.shards[page.shard]?.version ?? 0;
    const counts = await commitPage(this.#services, page, { cursor: cursor.version, shard });
    const moved = { ...page.to, version: shard + 1 };
    // Another shard may have moved meanwhile.
    this.#cursor = { ...cursor, shards: { ...this.#cursor?.shards, [page.shard]: moved } };
    progress.committed(page, counts);
    progress.standsAt(this.#cursor);
    const { applied, superseded } = counts;
    const now = clock.now();
    metrics.feedPage({
      byType: page.byType,
      outcomes: { ...counts.ignored, ...page.ignored, applied, superseded },
      looks: counts.looks,
      bytes: page.bytes,
      records: page.records,
      seconds: Math.max(0, now - since) / 1000,
      newestLagSeconds: page.newest === undefined ? undefined : (now - page.newest) / 1000,
    });
    await standing.moved(progress, this.gaps);
    await this.#trust.seen(counts);
    await toldFirst.seen(page.events, counts);
  }

  enough(): boolean {
    return this.#turn.signal.aborted || this.#turn.deadline.over;
  }
}
