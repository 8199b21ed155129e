import { z } from 'zod';
import { count } from './time.ts';

/** Each line of `isthmus reconcile sink --json`: what judging one sink found. */
export const reconcileSinkOutput = z.object({
  runId: count,
  sink: z.string(),
  outcome: z
    .enum(['complete', 'guarded', 'nothing-to-do'])
    .describe('guarded: so much is missing or stray that nothing was mended.'),
  reason: z.string().optional(),
  files: count.describe('Files that Isthmus made, and others where nobody else may write.'),
  live: count.describe('Live names of this sink.'),
  drift: z.record(z.string(), count).describe('Findings by cause.'),
  repaired: count,
  open: count.describe('What Isthmus cannot mend: somebody must look.'),
  waiting: count.describe('What the dispatcher has not done yet.'),
});
export type ReconcileSinkOutput = z.output<typeof reconcileSinkOutput>;
