import { runText } from '../../schema/drift/current-runs.ts';
import { byCauseText, totalOf } from '../../schema/drift/drift-counts.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTable } from '../format.ts';
import { printable } from '../terminal.ts';

type Judge = StatusOutput['judges'][number];

/** What each judge last said, and what it is at; a run that waits for a person with what decides it. */
export function judgeLines(judges: StatusOutput['judges']): readonly string[] {
  const table = formatTable(judges.map(standing)).split('\n');
  return ['', 'Judges', ...table.flatMap((line, at) => [line, ...underWay(judges[at])])];
}

function standing({ judge, sink, everyHours, lastGood, last, drift }: Judge): readonly string[] {
  const who = judge === 'sink' ? `sink ${sink}` : judge;
  const good = lastGood === null ? 'never judged everything' : `judged as of ${lastGood}`;
  const outcome =
    last === null ? '' : `run ${last.run} ${last.outcome}${last.reason === null ? '' : ` (${last.reason})`}`;
  const found = last === null && totalOf(drift) === 0 ? '' : `drift ${totalOf(drift)}`;
  const causes = totalOf(drift) === 0 ? found : `${found} (${byCauseText(drift)})`;
  const asked = everyHours === null ? 'where asked' : `every ${everyHours} h`;
  return [`  ${who}`, asked, good, causes, printable(outcome)];
}

function underWay(judge: Judge | undefined): readonly string[] {
  const run = judge?.underWay;
  if (judge === undefined || run === undefined || run === null) return [];
  const named = printable(runText({ ...run, id: run.run, judge: judge.judge, sink: judge.sink ?? undefined }));
  if (run.waitingSince === null) {
    const phase = run.phase === null ? '' : `, phase ${run.phase}`;
    return [`    ${named} is under way since ${run.startedAt}${phase}, its last step at ${run.movedAt}`];
  }
  return [
    `    ${named} WAITS for approval since ${run.waitingSince}: isthmus reconcile plan ${run.run}, then`,
    `      isthmus reconcile approve ${run.run}, or isthmus reconcile reject ${run.run} --reason TEXT`,
  ];
}
