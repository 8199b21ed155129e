import { closeFindings, readFindings, type Settled, settleFindings } from '../../schema/index/findings.ts';
import type { Waiting } from '../finish.ts';
import { examine } from './examine.ts';
import { followRepairs, isAtEnd } from './repair-sink.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import type { SinkCounts, SinkLedger } from './sink-ledger.ts';
import type { SinkStaging } from './sink-staging.ts';

const STEP = 500;

/** How long stubs that were made due are waited for. */
export const STUBS_WAIT: Waiting = { mostMs: 600_000, pollMs: 1_000 };

/**
 * Waits until the dispatcher has done what it can, and settles the findings. What takes longer stays `looking`.
 *
 * @returns what is to be counted, with the end of the run.
 */
export async function settleSink(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<Partial<SinkCounts>> {
  if (ledger.state.guarded !== null) return refuseAll(judging, ledger);
  const { clock } = judging;
  const until = clock.now() + waiting.mostMs;
  for (;;) {
    const began = clock.now();
    const left = await followRepairs(judging, judged, ledger, staging, signal);
    if (left === 0 || clock.now() >= until) break;
    // Where they are many, half of the time is theirs who write them.
    await clock.sleep(Math.max(waiting.pollMs, clock.now() - began), signal);
  }
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const findings = await readFindings(judging.index.db, ledger.run.id, { limit: STEP, after, states: ['looking'] });
    const last = findings.at(-1);
    if (last === undefined) break;
    const examined = await examine(judging, judged, findings, signal);
    const settled = examined.flatMap(({ suspect: finding, ...each }): readonly Settled[] => {
      const state = isAtEnd({ suspect: finding, ...each });
      if (state === undefined) return [];
      const cause = each.verdict.kind === 'wrong' ? each.verdict.cause : finding.cause;
      return [{ id: finding.id, cause, state, evidence: state === 'open' ? each.evidence : undefined }];
    });
    await ledger.step(async (tx) => {
      await settleFindings(tx, settled);
      return {};
    });
    after = last.id;
  }
  await staging.assertKept(judging.index.db);
  const became = await staging.outcomes(judging.index.db);
  const count = (outcome: string) => became.get(outcome) ?? 0;
  return { repaired: count('repaired'), open: count('open'), waiting: count('waiting') };
}

/** Nothing was mended: what was found is for the run that is approved. */
export async function refuseAll({ index }: SinkJudging, ledger: SinkLedger): Promise<Partial<SinkCounts>> {
  const of = { states: ['looking'], as: 'refused', note: 'nothing of its run was mended', limit: STEP } as const;
  while ((await closeFindings(index.db, ledger.run.id, of)) === STEP);
  return {};
}
