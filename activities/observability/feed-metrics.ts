import type { Instruments } from './instruments.ts';

/** One page of the feed, once it is committed. */
export interface FeedPageCounts {
  /** Records that were read, by the event type that they name. */
  readonly byType: Readonly<Record<string, number>>;
  /** What became of them: `applied`, `superseded`, a reason for ignoring. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Looks that it queued: records that name no values, and clocks that cannot be told apart. */
  readonly looks?: number | undefined;
  readonly bytes: number;
  readonly records: number;
  /** From the page's first byte asked for, or from its decoding, to its commit. */
  readonly seconds: number;
  /** The commit's time less the time of the page's newest record; undefined where no record has one. */
  readonly newestLagSeconds?: number | undefined;
}

/** Known words, so that a feed that says nonsense cannot grow the registry without bound. */
const KNOWN_TYPE = /^[A-Za-z]{1,64}$/;
const MOST_TYPES = 50;

/** What the reading of the feed counts in this process. */
export class FeedMetrics {
  readonly #types = new Set<string>();
  readonly #records;
  readonly #bytes;
  readonly #pageRecords;
  readonly #pageBytes;
  readonly #pageSeconds;
  readonly #newestLag;
  readonly #retries;
  readonly #gaps;
  readonly #polls;

  constructor(make: Instruments) {
    this.#records = make.counter('isthmus_feed_records_total', 'Records read from the feed, by type.', ['type']);
    this.#bytes = make.counter('isthmus_feed_read_bytes_total', 'Bytes of the pages that were committed.');
    this.#pageRecords = make.histogram(
      'isthmus_feed_page_records',
      'Records in a page.',
      [1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000, 25_000],
    );
    this.#pageBytes = make.histogram(
      'isthmus_feed_page_bytes',
      'Bytes in a page.',
      [1e3, 1e4, 1e5, 5e5, 1e6, 2.5e6, 5e6, 1e7, 2.5e7],
    );
    this.#pageSeconds = make.histogram(
      'isthmus_feed_page_duration_seconds',
      'How long a page took, to its commit.',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    );
    this.#newestLag = make.gauge(
      'isthmus_feed_newest_record_lag_seconds',
      'From the newest record of the last page to its commit.',
    );
    this.#retries = make.counter('isthmus_feed_retries_total', 'Reads and pages begun again, by cause.', ['cause']);
    this.#gaps = make.counter('isthmus_feed_gaps_total', 'Gaps that were met: records that nobody can read any more.');
    this.#polls = make.counter('isthmus_feed_polls_total', 'Polls that the feed answered.');
  }

  page({ byType, bytes, records, seconds, newestLagSeconds }: FeedPageCounts): void {
    for (const [type, count] of Object.entries(byType)) this.#records.inc({ type: this.#typeOf(type) }, count);
    this.#bytes.inc(bytes);
    this.#pageRecords.observe(records);
    this.#pageBytes.observe(bytes);
    this.#pageSeconds.observe(seconds);
    if (newestLagSeconds !== undefined) this.#newestLag.set(Math.max(0, newestLagSeconds));
  }

  retry(cause: string): void {
    this.#retries.inc({ cause });
  }

  gap(): void {
    this.#gaps.inc();
  }

  poll(): void {
    this.#polls.inc();
  }

  #typeOf(type: string): string {
    if (this.#types.has(type)) return type;
    if (this.#types.size >= MOST_TYPES || !KNOWN_TYPE.test(type)) return 'other';
    this.#types.add(type);
    return type;
  }
}
