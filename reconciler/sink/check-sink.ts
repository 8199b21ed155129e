import type { DeleteStop } from '../../namespace/rule.ts';
import { counted } from '../../schema/counted.ts';
import type { Tx } from '../../schema/index/database.ts';
import { type NewFinding, recordFindings } from '../../schema/index/findings.ts';
import { allowedText, trips } from '../plan/stop.ts';
import { type Examined, examinePieces } from './examine.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import type { SinkCounts, SinkLedger } from './sink-ledger.ts';
import type { SinkStaging, Suspect } from './sink-staging.ts';

/** Findings beyond are counted by their cause and not kept; their stubs are mended all the same. */
const MOST_FINDINGS = 100_000;

/**
 * The phase `check`: looks at every suspect again, on the sink and in the index, and records what is wrong. Ends in
 * `repair`, or, where the percent stop trips, in `settle` with the reason: then nothing is mended.
 */
export async function checkSink(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  signal: AbortSignal,
): Promise<void> {
  const { stop } = judging.federation.reconcile;
  const from = { after: ledger.state.after, which: 'all' } as const;
  for await (const { examined, last } of examinePieces(judging, judged, staging, from, signal)) {
    await ledger.step(async (tx) => {
      await staging.assertKept(tx);
      return { state: { after: last }, counts: await record(tx, ledger, staging, examined) };
    });
    const reason = ledger.state.approved ? undefined : stopReason(ledger.counts, stop);
    if (reason === undefined) continue;
    await ledger.step(async () => ({ state: { phase: 'settle', after: 0, guarded: reason } }));
    return;
  }
  await ledger.step(async (tx) => {
    await staging.assertKept(tx);
    return { state: { phase: 'repair', after: 0 } };
  });
}

async function record(
  tx: Tx,
  ledger: SinkLedger,
  staging: SinkStaging,
  examined: readonly Examined<Suspect>[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const findings: NewFinding[] = [];
  const toMend = new Map<number, string>();
  for (const { suspect, verdict, evidence } of examined) {
    if (verdict.kind !== 'wrong') continue;
    const { cause, remedy } = verdict;
    const { id, container, name } = suspect;
    count(`cause.${cause}`);
    if (cause === 'stub-missing') count('missing');
    if (cause === 'stub-stray') count('strays');
    if (remedy === 'none') count('open');
    else toMend.set(id, cause);
    const state = remedy === 'none' ? 'open' : 'looking';
    findings.push({ container, name, difference: 'sink', cause, state, evidence });
  }
  const kept = findings.slice(0, Math.max(0, MOST_FINDINGS - ledger.counts.findings));
  const { run, previous } = ledger;
  await recordFindings(tx, { accountId: run.accountId, runId: run.id, previousRun: previous }, kept);
  await staging.note(tx, 'cause', toMend);
  return { ...counts, findings: kept.length };
}

/**
 * The percent stop of a sink: so much at once is a view that is not the one it was, or not there, rather than drift.
 *
 * @returns why nothing is mended; undefined where it may be.
 */
export function stopReason(
  { missing, strays, live, files }: Pick<SinkCounts, 'missing' | 'strays' | 'live' | 'files'>,
  stop: DeleteStop,
): string | undefined {
  const allowed = allowedText(stop);
  if (trips({ missing, live }, stop)) {
    const walked = files === 0 ? 'it holds nothing at all, and ' : '';
    return `${walked}at least ${missing} of ${counted(live, 'live name')} have no stub there (${allowed}): is the view the one that it was?`;
  }
  if (!trips({ missing: strays, live: files }, stop)) return undefined;
  return `at least ${strays} of ${counted(files, 'file')} there are of names that are not live or not this sink's (${allowed})`;
}
