import { formatKey } from '../../namespace/key.ts';
import { counted } from '../../schema/counted.ts';
import { runText } from '../../schema/drift/current-runs.ts';
import { countsText } from '../../schema/drift/drift-counts.ts';
import type { DriftOutput, DriftTrendOutput } from '../../schema/outputs/drift.ts';
import { formatTable } from '../format.ts';
import { printable } from '../terminal.ts';

type Run = DriftOutput['runs'][number];

/** Findings by run, cause and folder, and the first of them, for people. */
export function formatDrift({ runs, states, count, causes, prefixes, findings }: DriftOutput): readonly string[] {
  if (runs.length === 0) return ['Nothing was judged yet: `isthmus reconcile` does.'];
  const lines = runs.flatMap((run) => [
    printable(`${nameOf(run)}: ${standingOf(run)}, drift of ${counted(run.drift, 'name')}`),
    ...indented(causes.filter(({ run: id }) => id === run.run).map(causeRow)),
  ]);
  if (count === 0) {
    const open = states.includes('repaired') ? '' : ' Nothing is open; --all shows what was mended and explained too.';
    return [...lines, `No finding is as you ask for.${open}`];
  }
  lines.push('', 'By folder', ...indented(prefixes.map((each) => [printable(each.prefix), String(each.count)])));
  const shown = findings.map(({ difference, cause, state, ...key }) => [
    state,
    cause,
    difference,
    printable(formatKey(key)),
  ]);
  if (shown.length > 0) lines.push('', 'Findings', ...indented(shown));
  if (findings.length < count) lines.push(`  and ${count - findings.length} more; --limit shows more.`);
  lines.push('', '`isthmus drift show CONTAINER/NAME` tells one with its evidence.');
  return lines;
}

/** The newest runs, one a line, with their drift by cause. */
export function formatTrend({ runs }: DriftTrendOutput): readonly string[] {
  if (runs.length === 0) return ['Nothing was judged yet: `isthmus reconcile` does.'];
  return formatTable(
    runs.map((run) => [
      printable(nameOf(run)),
      run.startedAt,
      run.outcome ?? (run.waitingSince === null ? 'under way' : 'waits'),
      String(run.drift),
      countsText(run.byCause),
    ]),
  ).split('\n');
}

function nameOf(run: Run): string {
  return runText({ ...run, id: run.run, sink: run.sink ?? undefined });
}

function standingOf({ run, outcome, endedAt, waitingSince, startedAt }: Run): string {
  if (outcome !== null) return `${outcome} at ${endedAt}`;
  if (waitingSince === null) return `under way since ${startedAt}`;
  return `waits for approval since ${waitingSince} (\`isthmus reconcile plan ${run}\`)`;
}

function causeRow({ cause, state, count, repeated, meaning }: DriftOutput['causes'][number]): readonly string[] {
  const again = repeated === 0 ? '' : `${repeated} of them three times in a row`;
  return [cause, state, String(count), again, meaning];
}

function indented(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : formatTable(rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest])).split('\n');
}
