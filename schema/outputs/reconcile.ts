import { z } from 'zod';
import { reconcilePlanOutput } from './reconcile-plan.ts';
import { count } from './time.ts';

const counts = z.record(z.string(), count);

/** What a run found, once it has ended. */
export const reconcileOutput = z.object({
  runId: count,
  judge: z.enum(['listing', 'inventory', 'none']),
  outcome: z.enum(['complete', 'rejected', 'guarded', 'nothing-to-do']),
  reason: z.string().optional(),
  listed: count.describe('Names that the judge saw.'),
  agreed: count.describe('Of those, the ones that the index has like this.'),
  filled: count.describe('Entries that gained attributes which events do not carry.'),
  applied: count.describe('Entries that a complete listing made.'),
  looks: count.describe('Differences that a look decides.'),
  missing: count.describe('Entries that the judge did not see.'),
  causes: counts.optional().describe('Findings by cause.'),
  states: counts.optional().describe('Findings that are kept, by what became of them.'),
  report: z.array(z.string()).readonly().optional().describe('All of it in a few lines for people.'),
});
export type ReconcileOutput = z.output<typeof reconcileOutput>;

/** `isthmus reconcile run --json`. */
export const reconcileRunOutput = z.union([
  reconcileOutput,
  z.object({ outcome: z.literal('waiting').describe('A person must decide first.'), plan: reconcilePlanOutput }),
  z.object({ id: z.string().describe("With --no-wait: the workflow's.") }),
]);
export type ReconcileRunOutput = z.output<typeof reconcileRunOutput>;

/** `isthmus reconcile approve --json` and `isthmus reconcile reject --json`. */
export const reconcileDecideOutput = z.object({
  runId: count,
  decision: z.enum(['approved', 'rejected']),
  who: z.string(),
  reason: z.string().nullable(),
  summary: reconcileOutput.nullable().describe('null with --no-wait: it goes on by itself.'),
});
export type ReconcileDecideOutput = z.output<typeof reconcileDecideOutput>;

/** `isthmus reconcile undo --json`. */
export const reconcileUndoOutput = z.object({
  runId: count,
  looked: count.describe('Names that were looked at again.'),
  restored: count.describe('Blobs that exist: they are live in the index again.'),
  gone: count.describe('Blobs that do not exist any more: they stay deleted.'),
  unanswered: count.describe('Looks that are not answered yet.'),
  goneNames: z.array(z.string()).describe('The first of those that are gone, as CONTAINER/NAME.'),
});
export type ReconcileUndoOutput = z.output<typeof reconcileUndoOutput>;
