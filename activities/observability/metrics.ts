import type { Registry } from 'prom-client';
import type { DeadLetterOrigin } from '../../schema/index/dead-letters.ts';
import type { TriggerSource } from '../../schema/index/sources.ts';
import type { Alarm } from './alarm.ts';
import { DeadLetterMetrics, type OpenLetters } from './dead-letter-metrics.ts';
import { DriftMetrics } from './drift-metrics.ts';
import { FeedMetrics, type FeedPageCounts } from './feed-metrics.ts';
import { Instruments } from './instruments.ts';
import { LatenessMetrics, type ToldFirstCounts } from './lateness-metrics.ts';
import { ReconcileMetrics } from './reconcile-metrics.ts';
import type { Glance } from './source-watch.ts';
import { StandingMetrics } from './standing-metrics.ts';
import { type SlowedBy, TriggerMetrics } from './trigger-metrics.ts';
import { type TrustCounts, TrustMetrics } from './trust-metrics.ts';

export type MetricSource = 'trigger' | 'event-hubs' | 'feed' | 'look' | 'stub' | 'inventory';

/** What a page did to its records. Keys are outcomes (`applied`, `superseded`, a reason for ignoring). */
export type Outcomes = Readonly<Record<string, number>>;

/**
 * The metrics of one process, `isthmus_<area>_<name>_<unit>`. Counters are of this process; gauges of
 * standing and backlog are read from the index, so every worker shows the same.
 */
export class Metrics {
  readonly #make = new Instruments();
  readonly #feed = new FeedMetrics(this.#make);
  readonly #trust = new TrustMetrics(this.#make);
  readonly #lateness = new LatenessMetrics(this.#make);
  readonly #triggers = new TriggerMetrics(this.#make);
  readonly #deadLetters = new DeadLetterMetrics(this.#make);
  readonly #standing = new StandingMetrics(this.#make);
  readonly #reconcile = new ReconcileMetrics(this.#make);
  readonly #drift = new DriftMetrics(this.#make);

  readonly #pages = this.#make.counter('isthmus_source_pages_total', 'Pages that were committed.', ['source']);
  readonly #records = this.#make.counter(
    'isthmus_source_records_total',
    'Records that were judged, by what became of them.',
    ['source', 'outcome'],
  );
  readonly #hubRemoved = this.#make.counter(
    'isthmus_event_hub_removed_events_total',
    'Events of the event hub that retention removed before they were read.',
    [],
  );
  readonly #hubMadeAnew = this.#make.counter(
    'isthmus_event_hub_partitions_made_anew_total',
    'Partitions that begin with their oldest event, as the event hub was deleted and made anew under its name.',
    [],
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
  readonly #stubs = this.#make.gauge('isthmus_stub_backlog_entries', 'Entries whose stub is behind them.', ['sink']);
  readonly #looksQueued = this.#make.counter('isthmus_look_queued_total', 'Looks that pages queued.', ['source']);
  readonly #looks = this.#make.gauge('isthmus_look_due_entries', 'Names that wait to be looked at.', []);
  readonly #worker = this.#make.gauge('isthmus_worker_info', 'Always 1; what runs here.', [
    'account',
    'version',
    'node',
  ]);
  readonly #glanced = this.#make.gauge(
    'isthmus_monitor_last_glance_timestamp_seconds',
    'When the monitor last saw this, since 1970.',
    ['part'],
  );
  readonly #paused = this.#make.gauge('isthmus_workflow_paused_info', '1 where a loop is paused or in alarm.', [
    'workflow',
    'state',
  ]);

  /** Says whose metrics these are: every series carries the federation, so that one Prometheus can watch many. */
  worker(info: { readonly federation: string; readonly account: string; readonly version: string }): void {
    const { federation, account, version } = info;
    this.registry.setDefaultLabels({ federation });
    this.#worker.set({ account, version, node: process.versions.node }, 1);
  }

  get registry(): Registry {
    return this.#make.registry;
  }

  /** One committed page of the feed; it counts as a page of its source too. */
  feedPage(page: FeedPageCounts): void {
    this.page('feed', page.outcomes, page.looks);
    this.#feed.page(page);
  }

  /** A read or a page that is begun again. @param cause a few fixed words: an error's code, `lost`, `throttled`. */
  feedRetry(cause: string): void {
    this.#feed.retry(cause);
  }

  feedGap(): void {
    this.#feed.gap();
  }

  /** The feed has answered a poll, with news or without. */
  feedPoll(): void {
    this.#feed.poll();
  }

  /** Events of an event hub that retention removed before they were read. */
  hubEventsRemoved(count: number): void {
    this.#hubRemoved.inc(count);
  }

  /** A partition of an event hub that was made anew begins again: what the old one held unread is gone. */
  hubMadeAnew(): void {
    this.#hubMadeAnew.inc();
  }

  /** One trigger that is in the index, or is known there already. */
  triggerLateness(seconds: number): void {
    this.#lateness.late(seconds);
  }

  toldFirst(counts: ToldFirstCounts): void {
    this.#lateness.toldFirst(counts);
  }

  trust(counts: TrustCounts): void {
    this.#trust.count(counts);
  }

  /** Messages whose locks ended before they were settled. */
  triggerLocksLost(count: number): void {
    this.#triggers.locksLost(count);
  }

  /** A batch of triggers that was committed; what its events became is a page of its source. */
  triggerBatch(messages: number, seconds: number): void {
    this.#triggers.batch(messages, seconds);
  }

  triggersSlowed(source: TriggerSource, by: Readonly<Record<SlowedBy, boolean>>): void {
    this.#triggers.slowed(source, by);
  }

  /** A message that cannot be applied was put aside. */
  deadLetter(origin: DeadLetterOrigin, reason: string): void {
    this.#deadLetters.appeared(origin, reason);
  }

  /** All that wait for somebody, as they stand now. */
  openLetters(letters: readonly OpenLetters[]): void {
    this.#deadLetters.open(letters);
  }

  /** One committed page of a source, and how many looks it queued; what becomes of those is counted as pages of `look`. */
  page(source: MetricSource, outcomes: Outcomes, looks = 0): void {
    this.#pages.inc({ source });
    if (looks > 0) this.#looksQueued.inc({ source }, looks);
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

  /**
   * @param raised the alarms that the log has raised.
   * @param driftLimit of how many names there may be drift.
   */
  glance(glance: Glance, raised: readonly Alarm[], driftLimit: number): void {
    this.#standing.observe(glance, raised);
    this.#reconcile.observe(glance.judges);
    this.#drift.observe(glance.judges, driftLimit);
  }

  /** The monitor has just seen Postgres, or Temporal. */
  glanced(part: 'postgres' | 'temporal', now: number): void {
    this.#glanced.set({ part }, now / 1000);
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
