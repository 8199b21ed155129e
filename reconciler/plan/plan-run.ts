import { liveRules } from '../../schema/index/authority-revisions.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { awaitDecision } from '../../schema/index/runs.ts';
import { findingScope } from '../causes/finding-of.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Staging } from '../staging/staging.ts';
import { askAbsentContainers } from './ask-containers.ts';
import { evaluateStops } from './evaluate-stops.ts';
import { planMissingPiece } from './plan-missing.ts';
import { readTallies } from './tally.ts';

/**
 * The phase `plan`: notes every name that the judge should have listed and did not, and asks the percent stops. Ends
 * in `want` where none tripped, else in `approve`, where the run stands still until a person decides (invariant 7).
 */
export async function planRun(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
): Promise<void> {
  const tallies = await readTallies(judging.index.db, staging);
  if (ledger.state.after === null) await askAbsentContainers(judging, ledger, tallies, signal);
  const scope = await findingScope(judging, ledger);
  do signal.throwIfAborted();
  while (await planMissingPiece(judging, ledger, staging, scope));

  const rules = (await liveRules(judging.index.db, judging.account.id))?.rules ?? [];
  const { shares, tripped } = await evaluateStops(judging, ledger, { rules, tallies });
  const held = ledger.counts['difference.not-listed'] ?? 0;
  const state = { after: null, shares: [...shares] };
  if (held === 0 || tripped.length === 0) {
    // Where a stop tripped and nothing is left that could wait for a person, the end of a container may not pass either.
    const { goneContainers } = tripped.length === 0 ? ledger.state : { goneContainers: [] };
    await ledger.step(async () => ({ state: { ...state, phase: 'want', goneContainers } }));
    return;
  }
  const guarded = tripped.join('; ');
  const { run } = ledger;
  judging.log.warn({ run: run.id }, `The percent stop holds a reconcile: ${guarded}. It waits for approval.`);
  await ledger.step(async (tx) => {
    await recordJournal(tx, judging.account.id, [
      { kind: 'reconcile-guarded', detail: { run: run.id, reason: guarded, manifest: run.manifest } },
    ]);
    await awaitDecision(tx, run.id);
    return { state: { ...state, phase: 'approve', tripped: [...tripped], guarded } };
  });
}
