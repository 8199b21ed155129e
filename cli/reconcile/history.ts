import { causesOf, judgedText, statesOf } from '../../reconciler/report.ts';
import { CAUSES } from '../../schema/drift/cause.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { type Run, recentRuns } from '../../schema/index/runs.ts';
import type { ReconcileHistoryLine } from '../../schema/outputs/reconcile-history.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatSeconds, formatTable, formatTime } from '../format.ts';
import { openAccount } from '../open-account.ts';
import { printable } from '../terminal.ts';
import { decisionText } from './decision-text.ts';
import { decisionOutput } from './plan-output.ts';

export interface HistoryOptions {
  readonly limit: number;
  readonly prefix?: string | undefined;
  readonly sink?: string | undefined;
}

/** `isthmus reconcile history`: runs, the newest first; with `--json` one a line. */
export async function showHistory(options: HistoryOptions, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const { terminal, json } = call;
  const runs = await recentRuns(open.index.db, open.account.id, options);
  const lines: ReconcileHistoryLine[] = [];
  for (const run of runs) lines.push(await historyLine(open.index.db, run, Date.now()));
  if (json) for (const line of lines) terminal.print(JSON.stringify(line));
  else if (lines.length === 0) terminal.print('There was no such run.');
  else for (const line of formatHistory(lines)) terminal.print(line);
  return EXIT.good;
}

async function historyLine(on: Queryable, run: Run, now: number): Promise<ReconcileHistoryLine> {
  const { id, judge, prefix, sink, manifest, startedAt, endedAt, outcome, reason, waitingSince, counts } = run;
  const causes = await causesOf(on, run);
  const drift = Object.entries(causes).filter(([cause]) => CAUSES[cause as keyof typeof CAUSES]?.drift === true);
  return {
    ...{ runId: id, judge, scope: prefix, sink: sink ?? null, manifest: manifest ?? null },
    startedAt: formatTime(startedAt),
    endedAt: endedAt === undefined ? null : formatTime(endedAt),
    seconds: Math.max(0, ((endedAt ?? now) - startedAt) / 1000),
    ...{ outcome: outcome ?? null, reason: reason ?? null },
    waitingSince: waitingSince === undefined ? null : formatTime(waitingSince),
    ...decisionOutput(run),
    listed: counts.listed ?? 0,
    drift: drift.reduce((sum, [, count]) => sum + count, 0),
    repaired: (await statesOf(on, run)).repaired ?? 0,
    causes: { ...causes },
  };
}

const HEAD = ['run', 'judged by', 'started', 'took', 'outcome', 'listed', 'drift', 'repaired', ''];

/** A table, and below it why runs ended as they did. */
export function formatHistory(lines: readonly ReconcileHistoryLine[]): readonly string[] {
  const rows = lines.map((line) => [
    ...[String(line.runId), printable(judged(line)), line.startedAt, formatSeconds(line.seconds)],
    line.outcome ?? (line.waitingSince === null ? 'runs' : 'waits'),
    ...[line.listed, line.drift, line.repaired].map(String),
    printable(said(line)),
  ]);
  return formatTable([HEAD, ...rows]).split('\n');
}

function judged({ judge, scope, sink }: ReconcileHistoryLine): string {
  return judgedText({ judge, prefix: scope, sink: sink ?? undefined });
}

function said(line: ReconcileHistoryLine): string {
  if (line.waitingSince !== null) return `waits for a decision since ${line.waitingSince}`;
  // The reason of a run that was decided says the same again.
  return decisionText(line) ?? line.reason ?? '';
}
