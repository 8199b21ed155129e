import { z } from 'zod';
import { count, time } from './time.ts';

const part = z.object({
  names: count,
  prefixes: z
    .array(
      z.object({
        prefix: z.string().describe('A plain prefix of CONTAINER/NAME.'),
        names: count,
        examples: z.array(z.string()).describe('CONTAINER/NAME; those of the longest blobs first.'),
      }),
    )
    .describe('Those with the most names, the largest first.'),
  elsewhere: count.describe('Names below none of these prefixes.'),
});

/** `isthmus reconcile plan --json`. */
export const reconcilePlanOutput = z.object({
  runId: count,
  judge: z.enum(['listing', 'inventory']),
  scope: z.string().describe('A plain prefix of CONTAINER/NAME; empty for everything.'),
  waitingSince: time.nullable().describe('null: it does not wait for a decision.'),
  decision: z.enum(['approved', 'rejected', 'expired']).nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: time.nullable(),
  decisionReason: z.string().nullable(),
  outcome: z.string().nullable().describe('null: it has not ended.'),
  tripped: z.array(z.string()).describe('Why it must not delete by itself.'),
  live: count.describe("Live names in the judge's scope."),
  created: part,
  updated: part,
  deleted: part.describe('Looked at, and deleted where the blob is gone.'),
});
export type ReconcilePlanOutput = z.output<typeof reconcilePlanOutput>;
