import { compareUtf8 } from '../../namespace/key.ts';
import { type ContainerRow, listContainers } from '../../schema/index/containers.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { compareRun } from '../compare/compare-run.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { RunState } from '../run/run-state.ts';
import { serverTime } from '../run/server-time.ts';
import { onLoss, stageRun } from '../stage.ts';
import { Staging } from '../staging/staging.ts';
import { type Guard, guardReason } from './guard.ts';
import { judgeListedPiece } from './judge-listed.ts';
import { wantMissingPiece } from './want-missing.ts';

/**
 * Judges what a run has staged; stages it first where that is not done, or was lost with the server.
 *
 * @returns the ledger, in phase `wait` or ended.
 */
export async function judgeRun(judging: Judging, runId: number, guard: Guard, signal: AbortSignal): Promise<RunLedger> {
  const ledger = await stageRun(judging, runId, signal);
  const staging = new Staging(judging.index, { accountId: judging.account.id, runId });
  if (!ledger.ended) await onLoss(ledger, staging, () => judge(judging, ledger, staging, guard, signal));
  return ledger;
}

/**
 * Compares what is staged with the index (`compare`), judges what the judge listed and the index has otherwise
 * (`present`), then, unless the guard stops it, asks for a look at each missing name (`want`). Every piece commits
 * with its place, so that an attempt that dies is taken up where it was. Ends in `wait`.
 */
async function judge(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  if (ledger.state.phase === 'compare') await compareRun(judging, ledger, staging, signal);
  if (ledger.state.phase === 'present') {
    if (ledger.state.keepsNames) {
      const containers = await listContainers(judging.index.db, judging.account.id);
      await walk(ledger, containers, signal, (container) => judgeListedPiece(judging, ledger, staging, container));
    }
    const reason = guardReason(ledger.counts, guard);
    if (!ledger.state.keepsNames) await enter(ledger, 'wait');
    else if (reason === undefined) await enter(ledger, 'want');
    else await stop(judging, ledger, reason);
  }
  while (ledger.state.phase === 'want') {
    signal.throwIfAborted();
    if (!(await wantMissingPiece(judging, ledger, staging))) await enter(ledger, 'wait');
  }
}

type Named = ContainerRow & { readonly name: string };

/** Container by container, in key order, piece by piece, from where the ledger says that it stopped. */
async function walk(
  ledger: RunLedger,
  containers: readonly Named[],
  signal: AbortSignal,
  piece: (container: Named) => Promise<boolean>,
): Promise<void> {
  for (const container of containers) {
    if (compareUtf8(container.name, ledger.state.inContainer) < 0) continue;
    if (container.name !== ledger.state.inContainer) {
      await ledger.step(async () => ({ state: { inContainer: container.name, after: null } }));
    }
    do signal.throwIfAborted();
    while (await piece(container));
  }
}

async function enter(ledger: RunLedger, phase: RunState['phase']): Promise<void> {
  await ledger.step(async (tx) => ({
    state: { phase, after: null, inContainer: '', judgedAt: phase === 'wait' ? await serverTime(tx) : null },
  }));
}

async function stop(judging: Judging, ledger: RunLedger, reason: string): Promise<void> {
  judging.log.warn({ run: ledger.run.id }, `The guard stopped the reconcile: ${reason}. Nothing absent is looked at.`);
  await ledger.step(async (tx) => {
    await recordJournal(tx, judging.account.id, [
      { kind: 'reconcile-guarded', detail: { run: ledger.run.id, reason, manifest: ledger.run.manifest } },
    ]);
    return { state: { phase: 'wait', guarded: reason, judgedAt: await serverTime(tx) } };
  });
}
