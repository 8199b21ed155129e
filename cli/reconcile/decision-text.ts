import type { ReconcilePlanOutput } from '../../schema/outputs/reconcile-plan.ts';

/** `approved by ada at 2026-...: why`; undefined where nobody has decided. */
export function decisionText(
  of: Pick<ReconcilePlanOutput, 'decision' | 'decidedBy' | 'decidedAt' | 'decisionReason'>,
): string | undefined {
  const { decision, decidedBy, decidedAt, decisionReason } = of;
  if (decision === null) return undefined;
  const why = decisionReason === null ? '' : `: ${decisionReason}`;
  return `${decision} by ${decidedBy ?? 'nobody'} at ${decidedAt ?? 'a time that is not known'}${why}`;
}
