import { assert } from '../../schema/errors.ts';
import type { Index, Tx } from '../../schema/index/database.ts';
import { forgetFindings } from '../../schema/index/findings.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { finishRun, type Run, type RunOutcome, readRun } from '../../schema/index/runs.ts';
import { type TransactOptions, transact } from '../../schema/index/transact.ts';
import { parseRunState, type RunState } from './run-state.ts';
import { addedCounts, takeStep } from './take-step.ts';

/** What was found by difference, what of it is not kept by cause, and at the run's end all of it by cause and state. */
export interface CountsByName {
  readonly [name: `${'difference' | 'unkept' | 'cause' | 'state'}.${string}`]: number;
}

/** What a step of a run found. `listed` names were listed; what became of them is in the others. */
export interface RunCounts extends CountsByName {
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

/** For a statement that goes through all that was staged or found: with a billion names it takes minutes. */
export const LONG_STATEMENT_MS = 3_600_000;

/** Added to what was counted before. */
export type MoreCounts = Partial<RunCounts>;

const NOTHING: RunCounts = {
  ...{ rows: 0, listed: 0, agreed: 0, newer: 0, filled: 0 },
  ...{ applied: 0, looks: 0, live: 0, missing: 0, findings: 0 },
};

export interface Step {
  /** What changes; made of the state as it is then by a step that others run beside. */
  readonly state?: Partial<RunState> | ((now: RunState) => Partial<RunState>) | undefined;
  readonly counts?: MoreCounts | undefined;
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
  #hasEnded = false;
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
          const next = addedCounts(this.#counts, counts ?? {});
          return { state: await this.#note(tx, changed ?? {}, next), counts: next };
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

  /** Writes a step down, in its transaction; where somebody else has done it, all that it did is rolled back. */
  async #note(tx: Tx, change: Partial<RunState>, counts: RunCounts): Promise<RunState> {
    return takeStep(tx, this.run, this.#state, { change, counts: { ...counts } });
  }

  /** Forgets what was staged and found: the run begins anew with the judge that it has. */
  async restart(): Promise<void> {
    const { wish, ruleRevision, inventory, applies, from, to } = this.#state;
    const kept = { wish, ruleRevision, inventory, applies, ...(inventory === null ? {} : { from, to }) };
    const named = Object.keys(this.#counts).map((name) => [name, 0] as const);
    const counts: RunCounts = { ...Object.fromEntries(named), ...NOTHING };
    this.#state = await transact(
      this.#index,
      async (tx) => {
        await forgetFindings(tx, this.run.id);
        return this.#note(tx, parseRunState(kept), counts);
      },
      { statementMs: LONG_STATEMENT_MS },
    );
    this.#counts = counts;
  }

  /** Ends the run: nothing is concluded from its judge. */
  reject(reason: string): Promise<void> {
    return this.end({ outcome: 'rejected', reason }, async (tx) => {
      await recordJournal(tx, this.run.accountId, [{ kind: 'report-rejected', detail: { run: this.run.id, reason } }]);
      return {};
    });
  }

  /** Does the last step of the run, and ends it. */
  async end(
    as: { readonly outcome: RunOutcome; readonly reason?: string | undefined },
    work: (tx: Tx) => Promise<Step>,
  ): Promise<void> {
    await transact(
      this.#index,
      async (tx) => {
        const { counts } = await work(tx);
        await this.#note(tx, {}, addedCounts(this.#counts, counts ?? {}));
        await finishRun(tx, this.run.id, as);
      },
      { statementMs: LONG_STATEMENT_MS },
    );
    this.#hasEnded = true;
  }

  /** Whether the run has its outcome: nothing is left to do. */
  get ended(): boolean {
    return this.#hasEnded || this.run.outcome !== undefined;
  }
}
