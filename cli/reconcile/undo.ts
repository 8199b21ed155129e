import { undoneText } from '../../reconciler/report.ts';
import type { UndoSummary } from '../../schema/inputs/reconcile.ts';
import type { ReconcileUndoOutput } from '../../schema/outputs/reconcile.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { connectTemporal } from '../temporal.ts';
import { printable } from '../terminal.ts';
import { askReconcile } from './ask.ts';

/** `isthmus reconcile undo RUN`: exit 0 also where some of what was deleted does not exist any more, which it says. */
export async function undoReconcile(runId: number, call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  await using temporal = await connectTemporal(call.env);
  const asked = await askReconcile(temporal, federation, { undo: runId }, call);
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
