import { z } from 'zod';
import { count } from './time.ts';

/** `isthmus reconcile --json`. */
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
});
export type ReconcileOutput = z.output<typeof reconcileOutput>;
