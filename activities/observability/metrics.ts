import { Counter, Gauge, Histogram, Registry } from 'prom-client';

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
  readonly registry = new Registry();

  readonly #pages = this.#counter('isthmus_source_pages_total', 'Pages that were committed.', ['source']);
  readonly #records = this.#counter(
    'isthmus_source_records_total',
    'Records that were judged, by what became of them.',
    ['source', 'outcome'],
  );
  readonly #failures = this.#counter(
    'isthmus_activity_failures_total',
    'Attempts of activities that failed, by error code.',
    ['activity', 'code'],
  );
  readonly #seconds = new Histogram({
    name: 'isthmus_activity_duration_seconds',
    help: 'How long an attempt of an activity took.',
    labelNames: ['activity', 'outcome'],
    buckets: [0.01, 0.05, 0.25, 1, 5, 15, 30, 60, 300, 1800],
    registers: [this.registry],
  });
  readonly #head = this.#gauge('isthmus_source_head_seconds', "Time of a source's newest news, since 1970.", [
    'source',
  ]);
  readonly #applied = this.#gauge(
    'isthmus_source_applied_seconds',
    'Time up to which a source is applied, since 1970.',
    ['source'],
  );
  readonly #lag = this.#gauge('isthmus_source_lag_seconds', 'Head less applied.', ['source']);
  readonly #silence = this.#gauge(
    'isthmus_source_silence_seconds',
    'How long a source has had news of which nothing was taken; page above 60.',
    ['source'],
  );
  readonly #stubs = this.#gauge('isthmus_stub_backlog_entries', 'Entries whose stub is behind them.', ['sink']);
  readonly #looks = this.#gauge('isthmus_look_due_entries', 'Names that wait to be looked at.', []);
  readonly #paused = this.#gauge('isthmus_workflow_paused_info', '1 where a loop is paused or in alarm.', [
    'workflow',
    'state',
  ]);

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

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }
}
