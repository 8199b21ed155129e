import type { Instruments } from './instruments.ts';
import type { JudgeHead } from './judge-runs.ts';

const CAUSE = ['judge', 'sink', 'cause'] as const;

/** What the newest runs of whoever judges found. Causes and states are closed lists, so that the registry stays small. */
export class DriftMetrics {
  readonly #names;
  readonly #findings;
  readonly #repeated;
  readonly #limit;

  constructor(make: Instruments) {
    this.#names = make.gauge('isthmus_drift_names', 'Names of which the newest run found drift, mended or not.', CAUSE);
    this.#findings = make.gauge(
      'isthmus_drift_findings',
      'Findings of the newest run that are kept, by what became of them; no drift among them.',
      [...CAUSE, 'state'],
    );
    this.#repeated = make.gauge(
      'isthmus_drift_repeated_findings',
      'Findings of drift that three runs in a row found, or more.',
      CAUSE,
    );
    this.#limit = make.gauge('isthmus_drift_limit_names', 'Of how many names there may be drift.');
  }

  observe(judges: readonly JudgeHead[], limit: number): void {
    this.#limit.set(limit);
    for (const gauge of [this.#names, this.#findings, this.#repeated]) gauge.reset();
    for (const { judge, sink = '', drift, findings, repeated } of judges) {
      for (const [cause, count] of Object.entries(drift)) this.#names.set({ judge, sink, cause }, count);
      for (const { cause, state, count } of findings) this.#findings.inc({ judge, sink, cause, state }, count);
      for (const [cause, count] of Object.entries(repeated)) this.#repeated.set({ judge, sink, cause }, count);
    }
  }
}
