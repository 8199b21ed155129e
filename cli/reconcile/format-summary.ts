import type { ReconcileInput, ReconcileSummary } from '../../schema/inputs/activities.ts';
import { formatTable } from '../format.ts';
import { printable } from '../terminal.ts';

/** What a reconcile found, for people. */
export function formatSummary(summary: ReconcileSummary): readonly string[] {
  const { outcome, judge, reason, runId, causes = {}, states = {}, report: _report, ...counts } = summary;
  const lines = [
    printable(`run ${runId}, judged by ${judge}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`),
    formatTable(rows(counts)),
  ];
  if (Object.keys(causes).length > 0) lines.push('findings by cause', formatTable(rows(causes)));
  if (Object.keys(states).length > 0) lines.push('what became of them', formatTable(rows(states)));
  return lines;
}

function rows(counts: object): readonly (readonly string[])[] {
  return Object.entries(counts).map(([name, count]) => [`  ${name}`, String(count)]);
}

/** What to do where there was nothing to judge by; undefined where there was. */
export function whatToDo(judge: ReconcileInput['judge'], { outcome }: ReconcileSummary): string | undefined {
  if (outcome !== 'nothing-to-do' || judge === 'listing') return undefined;
  return 'Nothing was judged. To judge now, by a listing of the account: `isthmus reconcile --judge listing`.';
}
