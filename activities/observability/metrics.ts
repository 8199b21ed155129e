import type { Registry } from 'prom-client';
import { FeedMetrics, type FeedPageCounts } from './feed-metrics.ts';
import { Instruments } from './instruments.ts';
import { type TrustCounts, TrustMetrics } from './trust-metrics.ts';

export type MetricSource = 'trigger' | 'feed' | 'look' | 'stub' | 'inventory';

/** What a page did to its records. Keys are outcomes (`applied`, `superseded`, a reason for ignoring). */
export type Outcomes = Readonly<Record<string, number>>;

/** Where one source stands, as the index has it. Times in milliseconds since 1970. */
export interface SourceStanding {
  readonly source: string;
  readonly head?: number | undefined;
  readonly applied?: number | undefined;
  /** How long the source has had news of which nothing was taken, in milliseconds; 0 where all is well. */
  readonly silentMs: number;
}

/**
 * The metrics of one process, `isthmus_<area>_<name>_<unit>`. Counters are of this process; gauges of
 * standing and backlog are read from the index, so every worker shows the same.
 */
export class Metrics {
  readonly #make = new Instruments();
  readonly #now: () => number;
  readonly #feed = new FeedMetrics(this.#make);
  readonly #trust = new TrustMetrics(this.#make);

  readonly #pages = this.#make.counter('isthmus_source_pages_total', 'Pages that were committed.', ['source']);
  readonly #records = this.#make.counter(
    'isthmus_source_records_total',
    'Records that were judged, by what became of them.',
    ['source', 'outcome'],
  );
  readonly #failures = this.#make.counter(
    'isthmus_activity_failures_total',
    'Attempts of activities that failed, by error code.',
    ['activity', 'code'],
  );
  readonly #seconds = this.#make.histogram(
    'isthmus_activity_duration_seconds',
    'How long an attempt of an activity took.',
    [0.01, 0.05, 0.25, 1, 5, 15, 30, 60, 300, 1800],
    ['activity', 'outcome'],
  );
  readonly #head = this.#make.gauge('isthmus_source_head_seconds', "Time of a source's newest news, since 1970.", [
    'source',
  ]);
  readonly #applied = this.#make.gauge(
    'isthmus_source_applied_seconds',
    'Time up to which a source is applied, since 1970.',
    ['source'],
  );
  readonly #lag = this.#make.gauge('isthmus_source_lag_seconds', 'Head less applied.', ['source']);
  readonly #silence = this.#make.gauge(
    'isthmus_source_silence_seconds',
    'How long a source has had news of which nothing was taken; page above 60.',
    ['source'],
  );
  readonly #stubs = this.#make.gauge('isthmus_stub_backlog_entries', 'Entries whose stub is behind them.', ['sink']);
  readonly #looks = this.#make.gauge('isthmus_look_due_entries', 'Names that wait to be looked at.', []);
  readonly #paused = this.#make.gauge('isthmus_workflow_paused_info', '1 where a loop is paused or in alarm.', [
    'workflow',
    'state',
  ]);

  /** @param now milliseconds since 1970. @default Date.now */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get registry(): Registry {
    return this.#make.registry;
  }

  /** One committed page of the feed; it counts as a page of its source too. */
  feedPage(page: FeedPageCounts): void {
    this.page('feed', page.outcomes);
    this.#feed.page(page);
  }

  /** A read or a page that is begun again. @param cause a few fixed words: an error's code, `lost`, `throttled`. */
  feedRetry(cause: string): void {
    this.#feed.retry(cause);
  }

  feedGap(): void {
    this.#feed.gap();
  }

  feedSkip(): void {
    this.#feed.skip();
  }

  /** The feed has answered a poll, with news or without. */
  feedPoll(): void {
    this.#feed.poll(this.#now());
  }

  trust(counts: TrustCounts): void {
    this.#trust.count(counts);
  }

  /** One committed page of a source. */
  page(source: MetricSource, outcomes: Outcomes): void {
    this.#pages.inc({ source });
    this.records(source, outcomes);
  }

  records(source: MetricSource, outcomes: Outcomes): void {
    for (const [outcome, count] of Object.entries(outcomes)) {
      if (count > 0) this.#records.inc({ source, outcome }, count);
    }
  }

  attempt(activity: string, outcome: 'done' | 'failed' | 'cancelled', seconds: number, code?: string): void {
    this.#seconds.observe({ activity, outcome }, seconds);
    if (code !== undefined) this.#failures.inc({ activity, code });
  }

  standing(standings: readonly SourceStanding[]): void {
    for (const { source, head, applied, silentMs } of standings) {
      if (head !== undefined) this.#head.set({ source }, head / 1000);
      if (applied !== undefined) this.#applied.set({ source }, applied / 1000);
      if (head !== undefined && applied !== undefined) this.#lag.set({ source }, Math.max(0, head - applied) / 1000);
      this.#silence.set({ source }, silentMs / 1000);
    }
  }

  backlog(backlog: { readonly stubs: Readonly<Record<string, number>>; readonly looks: number }): void {
    for (const [sink, count] of Object.entries(backlog.stubs)) this.#stubs.set({ sink }, count);
    this.#looks.set(backlog.looks);
  }

  paused(workflows: readonly { readonly workflow: string; readonly state: string; readonly paused: boolean }[]): void {
    this.#paused.reset();
    for (const { workflow, state, paused } of workflows) this.#paused.set({ workflow, state }, paused ? 1 : 0);
  }
}
