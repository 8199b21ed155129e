import { z } from 'zod';
import { count, time } from './time.ts';

/** One line of `isthmus reconcile history --json`. */
export const reconcileHistoryLine = z.object({
  runId: count,
  judge: z.enum(['listing', 'inventory', 'sink', 'none']),
  scope: z.string().describe('A plain prefix of CONTAINER/NAME; empty for everything.'),
  sink: z.string().nullable(),
  manifest: z.string().nullable().describe("CONTAINER/PATH of the report's manifest."),
  startedAt: time,
  endedAt: time.nullable(),
  seconds: z.number().min(0).describe('How long it took, or takes so far.'),
  outcome: z.enum(['complete', 'rejected', 'guarded', 'nothing-to-do', 'failed']).nullable().describe('null: it runs.'),
  reason: z.string().nullable(),
  waitingSince: time.nullable().describe('Since when it waits for a decision.'),
  decision: z.enum(['approved', 'rejected', 'expired']).nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: time.nullable(),
  decisionReason: z.string().nullable(),
  listed: count.describe('Names that the judge saw.'),
  drift: count.describe('Findings whose cause is drift.'),
  repaired: count.describe('Findings that are kept and were repaired.'),
  causes: z.record(z.string(), count).describe('Findings by cause.'),
});
export type ReconcileHistoryLine = z.output<typeof reconcileHistoryLine>;
