import { assert } from '../../schema/errors.ts';
import type { Index, Tx } from '../../schema/index/database.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { finishRun, type Run, readRun, updateRun } from '../../schema/index/runs.ts';
import { type TransactOptions, transact } from '../../schema/index/transact.ts';
import { parseRunState, type RunState } from './run-state.ts';

/** What a step of a run found. `listed` names were listed; what became of them is in the others. */
export interface RunCounts {
  /** Rows of the report, of any kind. */
  readonly rows: number;
  readonly listed: number;
  readonly agreed: number;
  /** The entry is newer than what the judge saw. */
  readonly newer: number;
  readonly filled: number;
  readonly applied: number;
  readonly looks: number;
  /** Live entries of the index in the judge's scope. */
  readonly live: number;
  /** Of those, the ones that the judge did not list though it should have. */
  readonly missing: number;
  /** Drift findings that were kept. */
  readonly findings: number;
}

const NOTHING: RunCounts = {
  ...{ rows: 0, listed: 0, agreed: 0, newer: 0, filled: 0 },
  ...{ applied: 0, looks: 0, live: 0, missing: 0, findings: 0 },
};

export interface Step {
  /** What changes; made of the state as it is then by a step that others run beside. */
  readonly state?: Partial<RunState> | ((now: RunState) => Partial<RunState>) | undefined;
  /** Added to what was counted before. */
  readonly counts?: Partial<RunCounts> | undefined;
}

/**
 * Where a run stands. Each step's effect and the note that it was done commit together, so that an attempt
 * that dies is taken up where it was, and nothing is counted twice.
 */
export class RunLedger {
  readonly run: Run;
  readonly #index: Index;
  #state: RunState;
  #counts: RunCounts;
  #rejected = false;
  #noting = Promise.resolve();

  private constructor(index: Index, run: Run) {
    this.#index = index;
    this.run = run;
    this.#state = parseRunState(run.state);
    this.#counts = { ...NOTHING, ...run.counts };
  }

  static async open(index: Index, runId: number): Promise<RunLedger> {
    const run = await readRun(index.db, runId);
    assert(run !== undefined, `there is no run ${runId}`);
    return new RunLedger(index, run);
  }

  get state(): RunState {
    return this.#state;
  }

  get counts(): RunCounts {
    return this.#counts;
  }

  /**
   * Does one step. The work may be run again as a whole, so it must have no effect outside the transaction.
   * Steps may run side by side; they note what they did, and commit, one after the other.
   */
  async step(work: (tx: Tx) => Promise<Step>, options: TransactOptions = {}): Promise<void> {
    let noted = () => {};
    try {
      const done = await transact(
        this.#index,
        async (tx) => {
          noted();
          const { state, counts } = await work(tx);
          noted = await this.#turn();
          const changed = typeof state === 'function' ? state(this.#state) : state;
          const next = this.#added(counts ?? {});
          await updateRun(tx, this.run.id, { state: changed, counts: { ...next } });
          return { state: { ...this.#state, ...changed }, counts: next };
        },
        options,
      );
      this.#state = done.state;
      this.#counts = done.counts;
    } finally {
      noted();
    }
  }

  /** Waits until no other step notes what it did. @returns what ends this one's turn. */
  async #turn(): Promise<() => void> {
    const before = this.#noting;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#noting = promise;
    await before;
    return resolve;
  }

  /** Forgets what was staged and found: the run begins anew with the judge that it has. */
  async restart(): Promise<void> {
    const { wish, ruleRevision, inventory, from, to } = this.#state;
    this.#state = parseRunState({ wish, ruleRevision, inventory, ...(inventory === null ? {} : { from, to }) });
    this.#counts = NOTHING;
    await updateRun(this.#index.db, this.run.id, { state: { ...this.#state }, counts: { ...NOTHING } });
  }

  /** Ends the run: nothing is concluded from its judge. */
  async reject(reason: string): Promise<void> {
    await transact(this.#index, async (tx) => {
      await recordJournal(tx, this.run.accountId, [{ kind: 'report-rejected', detail: { run: this.run.id, reason } }]);
      await finishRun(tx, this.run.id, { outcome: 'rejected', reason });
    });
    this.#rejected = true;
  }

  /** Whether the run has its outcome: nothing is left to do. */
  get ended(): boolean {
    return this.#rejected || this.run.outcome !== undefined;
  }

  #added(more: Partial<RunCounts>): RunCounts {
    const next: Record<string, number> = { ...this.#counts };
    for (const [name, count] of Object.entries(more)) next[name] = (next[name] ?? 0) + count;
    return { ...this.#counts, ...next };
  }
}
