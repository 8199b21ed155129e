import { undoneText } from '../../reconciler/report.ts';
import type { UndoSummary } from '../../schema/inputs/reconcile.ts';
import type { ReconcileUndoOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { askReconcile } from './ask.ts';
import { findRun } from './find-run.ts';

/**
 * `isthmus reconcile undo RUN`: exit 0 also where some of what was deleted does not exist any more, which it says; exit
 * 1 where there is no such run, or it has not ended.
 */
export async function undoReconcile(runId: number, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const run = await findRun(open, runId);
  if (typeof run === 'string' || run.outcome === undefined) {
    call.terminal.say(typeof run === 'string' ? run : `Run ${runId} has not ended: there is nothing to undo yet.`);
    return EXIT.no;
  }
  await using temporal = await connectTemporal(call.env);
  const asked = await askReconcile(temporal, open.federation, { undo: runId }, call);
  if (asked.kind !== 'undone') throw new Error('An undo was answered with a reconcile.');
  const { summary } = asked;
  const { report: _report, ...counts } = summary;
  const output: ReconcileUndoOutput = { ...counts, goneNames: [...summary.goneNames] };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatUndone(summary)) call.terminal.print(line);
  return EXIT.good;
}

/** What an undo did, for people. */
export function formatUndone(summary: UndoSummary): readonly string[] {
  const { runId, gone, unanswered, goneNames } = summary;
  const lines = [undoneText(runId, summary)];
  lines.push(...goneNames.map((name) => `  ${printable(name)}`));
  if (gone > goneNames.length) lines.push(`  and ${gone - goneNames.length} more`);
  if (unanswered > 0) lines.push(`\`isthmus reconcile undo ${runId}\` goes on with what is not answered yet.`);
  return lines;
}
