import { z } from 'zod';
import { assert } from '../../schema/errors.ts';
import type { Index, Tx } from '../../schema/index/database.ts';
import { forgetFindings } from '../../schema/index/findings.ts';
import { finishRun, type Run, type RunOutcome, readRun, runBefore } from '../../schema/index/runs.ts';
import { type TransactOptions, transact } from '../../schema/index/transact.ts';
import { addedCounts, takeStep } from '../run/take-step.ts';

const sinkState = z.object({
  /** What asked for it: an attempt that died is taken up by the same wish. */
  wish: z.string().default(''),
  /** The percent stop was approved beforehand. */
  approved: z.boolean().default(false),
  phase: z.enum(['walk', 'compare', 'check', 'repair', 'settle']).default('walk'),
  /** When the walk began, by the index's clock. */
  from: z.int().nullable().default(null),
  /** Files that the walk under way has seen. */
  walked: z.int().default(0),
  /** Pairs of partitions that are compared, by name, of so many. */
  compared: z.array(z.string()).default([]),
  pairs: z.int().nullable().default(null),
  /** Suspects up to this one are through the phase. */
  after: z.int().default(0),
  guarded: z.string().nullable().default(null),
  /** Steps that were taken. */
  step: z.int().default(0),
});
export type SinkState = z.output<typeof sinkState>;

/** Keys that are absent have their first value. */
export function parseSinkState(value: unknown): SinkState {
  return sinkState.parse(value);
}

/** What a run of a sink found; causes are counted beside, as `cause.NAME`. */
export interface SinkCounts {
  /** Files that Isthmus made, and others where nobody else may write. */
  readonly files: number;
  readonly foreign: number;
  /** Live entries of this sink. */
  readonly live: number;
  readonly suspects: number;
  readonly missing: number;
  readonly strays: number;
  readonly findings: number;
  readonly repaired: number;
  readonly open: number;
  readonly waiting: number;
}

const NOTHING: SinkCounts = {
  ...{ files: 0, foreign: 0, live: 0, suspects: 0, missing: 0, strays: 0 },
  ...{ findings: 0, repaired: 0, open: 0, waiting: 0 },
};

interface SinkStep {
  readonly state?: Partial<SinkState> | undefined;
  /** Added to what was counted before. */
  readonly counts?: Readonly<Record<string, number>> | undefined;
}

/** Where a run of a sink stands. Each step's effect and the note that it was taken commit together. */
export class SinkLedger {
  readonly run: Run;
  /** The run before of this sink, for streaks. */
  readonly previous: number | undefined;
  readonly #index: Index;
  #state: SinkState;
  #counts: SinkCounts & Readonly<Record<string, number>>;

  private constructor(index: Index, run: Run, previous: number | undefined) {
    this.#index = index;
    this.run = run;
    this.previous = previous;
    this.#state = parseSinkState(run.state);
    this.#counts = { ...NOTHING, ...run.counts };
  }

  static async open(index: Index, runId: number): Promise<SinkLedger> {
    const run = await readRun(index.db, runId);
    assert(run?.judge === 'sink', `there is no run ${runId} of a sink`);
    return new SinkLedger(index, run, await runBefore(index.db, run));
  }

  get state(): SinkState {
    return this.#state;
  }

  get counts(): SinkCounts & Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Whether the run has its outcome: nothing is left to do. */
  get ended(): boolean {
    return this.run.outcome !== undefined;
  }

  /**
   * Takes one step. The work may be run again as a whole, so it must have no effect outside the transaction.
   *
   * @throws IsthmusError `ISTHMUS_RUN_MOVED` where another attempt has taken it: what the work did is rolled back.
   */
  async step(work: (tx: Tx) => Promise<SinkStep>, options: TransactOptions = {}): Promise<void> {
    const done = await transact(
      this.#index,
      async (tx) => {
        const { state, counts } = await work(tx);
        return this.#note(tx, state ?? {}, counts ?? {});
      },
      options,
    );
    this.#state = done.state;
    this.#counts = done.counts;
  }

  /** Ends the run, with the last that is to be counted and noted. */
  async finish(
    end: { readonly outcome: RunOutcome; readonly reason?: string | undefined },
    counts: Readonly<Record<string, number>>,
    note: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    await transact(this.#index, async (tx) => {
      await this.#note(tx, {}, counts);
      await note(tx);
      await finishRun(tx, this.run.id, end);
    });
  }

  /** Forgets what was staged and found: the walk begins anew. */
  async restart(): Promise<void> {
    const zeros = Object.fromEntries(Object.entries(this.#counts).map(([name, count]) => [name, -count]));
    await this.step(async (tx) => {
      await forgetFindings(tx, this.run.id);
      return { state: { phase: 'walk', from: null, compared: [], after: 0, guarded: null }, counts: zeros };
    });
  }

  async #note(tx: Tx, change: Partial<SinkState>, added: Readonly<Record<string, number>>) {
    const counts = addedCounts(this.#counts, added);
    return { state: await takeStep(tx, this.run, this.#state, { change, counts }), counts };
  }
}
