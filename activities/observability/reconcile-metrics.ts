import type { Instruments } from './instruments.ts';
import type { JudgeHead } from './judge-runs.ts';

const JUDGE = ['judge', 'sink'] as const;

/** Runs of whoever judges, as the index tells of them: every worker of a federation shows the same. */
export class ReconcileMetrics {
  readonly #runs;
  readonly #lastGood;
  readonly #expected;
  readonly #runningSince;
  readonly #moved;
  readonly #stallLimit;
  readonly #waitingSince;
  readonly #failed;
  readonly #all: readonly { reset(): void }[];

  constructor(make: Instruments) {
    this.#runs = make.gauge('isthmus_reconcile_runs', 'Runs that ended, as far back as the index keeps them.', [
      ...JUDGE,
      'outcome',
    ]);
    this.#lastGood = make.gauge(
      'isthmus_reconcile_last_good_timestamp_seconds',
      'As of when everything was last judged to its end, since 1970; before the first time, since when that is wanted.',
      JUDGE,
    );
    this.#expected = make.gauge(
      'isthmus_reconcile_expected_interval_seconds',
      'How often everything must be judged.',
      JUDGE,
    );
    this.#runningSince = make.gauge(
      'isthmus_reconcile_running_since_timestamp_seconds',
      'Since when a run is under way, since 1970; 0 where none is, or it waits for a person.',
      JUDGE,
    );
    this.#moved = make.gauge(
      'isthmus_reconcile_moved_timestamp_seconds',
      'When the run under way last did a step, since 1970; 0 where none is, or it waits for a person.',
      JUDGE,
    );
    this.#stallLimit = make.gauge(
      'isthmus_reconcile_stall_limit_seconds',
      'How long the run under way may do no step.',
      JUDGE,
    );
    this.#waitingSince = make.gauge(
      'isthmus_reconcile_waiting_since_timestamp_seconds',
      'Since when a run waits for a person to approve its deletes, since 1970; 0 where none does.',
      JUDGE,
    );
    this.#failed = make.gauge(
      'isthmus_reconcile_failed',
      '1 where the newest run failed, or does not get on since an attempt failed.',
      JUDGE,
    );
    this.#all = [
      ...[this.#runs, this.#lastGood, this.#expected, this.#runningSince],
      ...[this.#moved, this.#stallLimit, this.#waitingSince, this.#failed],
    ];
  }

  observe(judges: readonly JudgeHead[]): void {
    // Of a judge that is not told of any more, as its runs are past their retention, nothing rings for ever.
    for (const gauge of this.#all) gauge.reset();
    for (const { judge, sink = '', ...head } of judges) {
      const of = { judge, sink };
      const { underWay, everyMs, waitedSince } = head;
      for (const [outcome, count] of Object.entries(head.byOutcome)) this.#runs.set({ ...of, outcome }, count);
      if (waitedSince !== undefined) this.#lastGood.set(of, waitedSince / 1000);
      if (everyMs !== undefined) this.#expected.set(of, everyMs / 1000);
      this.#runningSince.set(of, (underWay?.startedAt ?? 0) / 1000);
      this.#moved.set(of, (underWay?.movedAt ?? 0) / 1000);
      this.#stallLimit.set(of, head.stallLimitMs / 1000);
      this.#waitingSince.set(of, (head.waiting[0]?.waitingSince ?? 0) / 1000);
      this.#failed.set(of, head.failed ? 1 : 0);
    }
  }
}
