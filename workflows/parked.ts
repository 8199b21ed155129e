import type { ReconcilePlan } from '../schema/inputs/reconcile.ts';

/** Runs that wait for a decision, each with its plan, and those that were decided and go on next. */
export class Parked {
  readonly #plans = new Map<number, ReconcilePlan>();
  readonly #decided: number[] = [];

  /** Nothing where it was decided before its plan was known here. */
  park(plan: ReconcilePlan): void {
    if (!this.#decided.includes(plan.runId)) this.#plans.set(plan.runId, plan);
  }

  /** It goes on, whatever was decided: the index knows. */
  decide(runId: number): void {
    this.#plans.delete(runId);
    if (!this.#decided.includes(runId)) this.#decided.push(runId);
  }

  waits(runId: number): boolean {
    return this.#plans.has(runId);
  }

  get plans(): readonly ReconcilePlan[] {
    return [...this.#plans.values()];
  }

  get hasDecided(): boolean {
    return this.#decided.length > 0;
  }

  /** Takes the run that was decided first. */
  next(): number | undefined {
    return this.#decided.shift();
  }
}
