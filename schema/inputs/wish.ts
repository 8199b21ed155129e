import type { ReconcileInput, ReconcileSummary } from './activities.ts';
import { type Checked, checkFields, type Field, inJson, isObject, optional, wholeNumber } from './check.ts';
import type { UndoSummary } from './reconcile.ts';

/** The update that asks for a reconcile, or for an undo, and answers what came of it. */
export const ASK = 'ask';

/** Takes back what a run deleted, as far as it exists. */
export interface UndoInput {
  readonly undo: number;
}

/** What the one workflow that reconciles an account can be asked for. */
export type ReconcileWish = ReconcileInput | UndoInput;

/** What the update `ask` answers. */
export type Asked =
  | { readonly kind: 'judged'; readonly summary: ReconcileSummary }
  | { readonly kind: 'undone'; readonly summary: UndoSummary }
  /** This run waits for a decision: the one that was asked for, or one before it. */
  | { readonly kind: 'approval'; readonly runId: number };

const judge: Field = {
  expected: '"listing", "inventory" or "auto"',
  holds: (value) => value === 'listing' || value === 'inventory' || value === 'auto',
};
const string = (expected: string): Field => ({ expected, holds: (value) => typeof value === 'string' });

export function checkWish(input: unknown): Checked<ReconcileWish> {
  const isUndo = isObject(input) && 'undo' in input;
  const problem = isUndo
    ? checkFields(inJson(ASK, { undo: 12 }), input, { undo: wholeNumber("the run's number") })
    : checkFields(inJson(ASK, { judge: 'listing', prefix: 'lake/2026/' }), input, {
        judge,
        prefix: optional(string('a plain prefix of CONTAINER/NAME')),
        manifest: optional(string("CONTAINER/PATH of a report's manifest")),
      });
  return problem === undefined ? { value: input as ReconcileWish } : { problem };
}
