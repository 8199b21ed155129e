import type { ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import { formatTable } from '../format.ts';

/** What a reconcile found, for people. */
export function formatReconciled({ outcome, judge, reason, runId, ...counts }: ReconcileSummary): readonly string[] {
  return [
    `run ${runId}, judged by ${judge}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`,
    formatTable(Object.entries(counts).map(([name, count]) => [`  ${name}`, String(count)])),
  ];
}

/** What to do where there was nothing to judge by; undefined where there was. */
export function whatToDo(judge: ReconcileInput['judge'], { outcome }: ReconcileSummary): string | undefined {
  if (outcome !== 'nothing-to-do' || judge === 'listing') return undefined;
  return 'Nothing was judged. To judge now, by a listing of the account: `isthmus reconcile --judge listing`.';
}
