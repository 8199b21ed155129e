import { counted } from '../schema/counted.ts';
import { countsText } from '../schema/drift/drift-counts.ts';
import { assert } from '../schema/errors.ts';
import type { Queryable } from '../schema/index/database.ts';
import { countFindings } from '../schema/index/findings.ts';
import type { Run } from '../schema/index/runs.ts';
import type { ReconcileSummary } from '../schema/inputs/activities.ts';
import type { UndoSummary } from '../schema/inputs/reconcile.ts';

/** Findings of a run by cause: as it counted them at its end, before that those that it keeps. */
export async function causesOf(on: Queryable, run: Run): Promise<Readonly<Record<string, number>>> {
  return countsOf(run, 'cause.') ?? sums(await countFindings(on, run.id), ({ cause }) => cause);
}

/** Findings of a run that are kept, by what became of them. */
export async function statesOf(on: Queryable, run: Run): Promise<Readonly<Record<string, number>>> {
  return countsOf(run, 'state.') ?? sums(await countFindings(on, run.id), ({ state }) => state);
}

/** Undefined before the run's end. */
function countsOf({ counts, outcome }: Run, prefix: string): Readonly<Record<string, number>> | undefined {
  if (outcome === undefined) return undefined;
  const named = Object.entries(counts).filter(([name, count]) => name.startsWith(prefix) && count > 0);
  return Object.fromEntries(named.map(([name, count]) => [name.slice(prefix.length), count]));
}

function sums<Item extends { readonly count: number }>(items: readonly Item[], by: (item: Item) => string) {
  const sum: Record<string, number> = {};
  for (const item of items) sum[by(item)] = (sum[by(item)] ?? 0) + item.count;
  return sum;
}

/** What a run of the account found, once it has ended. */
export async function runSummary(on: Queryable, run: Run): Promise<ReconcileSummary> {
  const counts = foundBy(run);
  const summary = { ...counts, causes: await causesOf(on, run), states: await statesOf(on, run) };
  return { ...summary, report: reportOf(run, summary) };
}

function foundBy(run: Run): ReconcileSummary {
  const count = (name: string) => run.counts[name] ?? 0;
  const { judge } = run;
  assert(run.outcome !== undefined && run.outcome !== 'failed', `run ${run.id} failed: ${run.reason ?? 'unknown'}`);
  assert(judge !== 'sink', `run ${run.id} judged a sink, not the account`);
  return {
    runId: run.id,
    judge,
    outcome: run.outcome,
    reason: run.reason,
    listed: count('listed'),
    agreed: count('agreed') + count('newer'),
    filled: count('filled'),
    applied: count('applied'),
    looks: count('looks'),
    missing: count('missing'),
  };
}

/** What a run was judged by and over what: `a listing of lake/`. */
export function judgedText({ judge, prefix, sink }: Pick<Run, 'judge' | 'prefix' | 'sink'>): string {
  if (judge === 'sink') return `a look into sink ${sink ?? ''}`;
  if (judge === 'none') return 'nothing';
  const scope = prefix === '' ? 'everything' : prefix;
  return judge === 'inventory' ? 'an inventory' : `a listing of ${scope}`;
}

/** A run that has ended, in a few lines for people. */
function reportOf(run: Run, summary: Omit<ReconcileSummary, 'report'>): readonly string[] {
  const { listed, agreed, filled, applied, looks, missing, causes = {}, states = {} } = summary;
  const took = run.endedAt === undefined ? '' : ` after ${seconds(run.endedAt - run.startedAt)}`;
  const why = run.reason === undefined ? '' : `: ${run.reason}`;
  const lines = [
    `Run ${run.id}, judged by ${judgedText(run)}, ended${took}: ${summary.outcome}${why}.`,
    `${counted(listed, 'name')} listed, of which ${agreed} agreed, ${filled} gained attributes and ${applied} were applied; ${missing} not listed; ${counted(looks, 'look')}.`,
  ];
  const found = countsText(causes);
  lines.push(found === '' ? 'No drift was found.' : `Found: ${found}. Of those that are kept: ${countsText(states)}.`);
  const { decision, decidedBy, decidedAt, decisionReason } = run;
  if (decision !== undefined) {
    const at = decidedAt === undefined ? '' : ` at ${new Date(decidedAt).toISOString()}`;
    const because = decisionReason === undefined ? '' : `: ${decisionReason}`;
    lines.push(`Its deletes were ${decision} by ${decidedBy ?? 'nobody'}${at}${because}.`);
  }
  return lines;
}

/** What an undo did, for people. */
export function undoneText(
  runId: number,
  { looked, restored, gone, unanswered }: Pick<UndoSummary, 'looked' | 'restored' | 'gone' | 'unanswered'>,
): string {
  if (looked === 0) return `Run ${runId} deleted nothing that is not undone already.`;
  const left = unanswered === 0 ? '' : ` ${counted(unanswered, 'look')} not answered yet.`;
  return `Run ${runId}: ${counted(looked, 'name')} looked at again, ${restored} restored, ${gone} not, as their blobs do not exist any more.${left}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
