import { runText } from '../../schema/drift/current-runs.ts';
import { countsText, totalOf } from '../../schema/drift/drift-counts.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTable } from '../format.ts';
import { printable } from '../terminal.ts';

type Judge = StatusOutput['judges'][number];

/** What each judge last said, and what it is at; a run that waits for a person with what decides it. */
export function judgeLines(judges: StatusOutput['judges']): readonly string[] {
  const table = formatTable(judges.map(standing)).split('\n');
  return ['', 'Judges', ...table.flatMap((line, at) => [line, ...runLines(judges[at])])];
}

function standing({ judge, sink, everyHours, lastGood, last, drift }: Judge): readonly string[] {
  const who = judge === 'sink' ? `sink ${sink}` : judge;
  const good = lastGood === null ? 'never judged everything' : `judged as of ${lastGood}`;
  const outcome =
    last === null ? '' : `run ${last.run} ${last.outcome}${last.reason === null ? '' : ` (${last.reason})`}`;
  const found = last === null && totalOf(drift) === 0 ? '' : `drift ${totalOf(drift)}`;
  const causes = totalOf(drift) === 0 ? found : `${found} (${countsText(drift)})`;
  const asked = everyHours === null ? 'where asked' : `every ${everyHours} h`;
  return [`  ${who}`, asked, good, causes, printable(outcome)];
}

function runLines(judge: Judge | undefined): readonly string[] {
  if (judge === undefined) return [];
  const named = (run: { readonly run: number; readonly prefix: string }) =>
    printable(runText({ id: run.run, prefix: run.prefix, judge: judge.judge, sink: judge.sink ?? undefined }));
  const lines = judge.waiting.flatMap((run) => [
    `    ${named(run)} WAITS for approval since ${run.since}: isthmus reconcile plan ${run.run}, then`,
    `      isthmus reconcile approve ${run.run}, or isthmus reconcile reject ${run.run} --reason TEXT`,
  ]);
  const { underWay } = judge;
  if (underWay === null) return lines;
  const { phase, startedAt, movedAt } = underWay;
  const where = phase === null ? '' : `, phase ${phase}`;
  return [...lines, `    ${named(underWay)} is under way since ${startedAt}${where}, its last step at ${movedAt}`];
}
