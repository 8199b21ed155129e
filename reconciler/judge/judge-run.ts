import { compareUtf8 } from '../../namespace/key.ts';
import { type ContainerRow, listContainers } from '../../schema/index/containers.ts';
import { findingScope } from '../causes/finding-of.ts';
import { compareRun } from '../compare/compare-run.ts';
import type { Judging } from '../judging.ts';
import { planRun } from '../plan/plan-run.ts';
import type { RunLedger } from '../run/ledger.ts';
import { serverTime } from '../run/server-time.ts';
import { onLoss, stageRun } from '../stage.ts';
import { Staging } from '../staging/staging.ts';
import { judgeDifferingPiece } from './judge-differing.ts';
import { differingContainers } from './read-differing.ts';
import { confirmGoneContainers, wantMissingPiece } from './want-missing.ts';

/**
 * Judges what a run has staged; stages it first where that is not done, or was lost with the server. A run that waits
 * for a decision is left as it is; once it is approved, it goes on here.
 *
 * @returns the ledger, in phase `wait`, `approve` (a percent stop tripped: see `decide`), or ended.
 */
export async function judgeRun(judging: Judging, runId: number, signal: AbortSignal): Promise<RunLedger> {
  const ledger = await stageRun(judging, runId, signal);
  if (ledger.ended) return ledger;
  const staging = new Staging(judging.index, { accountId: judging.account.id, runId });
  await onLoss(ledger, staging, () => judgeStaged(judging, ledger, staging, signal));
  // What is left to do is in the ledger, however long a person takes to decide.
  await staging.drop();
  if (ledger.state.phase === 'want') await want(judging, ledger, signal);
  return ledger;
}

/**
 * Compares what is staged with the index (`compare`), judges what the judge listed and the index has otherwise
 * (`present`), then plans what becomes of the names that it did not list (`plan`). Every piece commits with its
 * place, so that an attempt that dies is taken up where it was.
 */
async function judgeStaged(judging: Judging, ledger: RunLedger, staging: Staging, signal: AbortSignal): Promise<void> {
  if (ledger.state.phase === 'compare') await compareRun(judging, ledger, staging, signal);
  if (ledger.state.phase === 'present') {
    // A bootstrap has applied each page as it came.
    if (!ledger.state.keepsNames) return enterWait(ledger);
    const scope = await findingScope(judging, ledger);
    const differing = await differingContainers(judging.index.db, staging);
    const containers = (await listContainers(judging.index.db, judging.account.id)).filter(({ id }) =>
      differing.has(id),
    );
    await walk(ledger, containers, signal, (container) =>
      judgeDifferingPiece(judging, ledger, staging, { container, scope }),
    );
    await ledger.step(async () => ({ state: { phase: 'plan', after: null, inContainer: '' } }));
  }
  if (ledger.state.phase === 'plan') await planRun(judging, ledger, staging, signal);
}

/** Asks for a look at each name that was not listed. */
async function want(judging: Judging, ledger: RunLedger, signal: AbortSignal): Promise<void> {
  await confirmGoneContainers(judging, ledger, signal);
  do signal.throwIfAborted();
  while (await wantMissingPiece(judging, ledger));
  await enterWait(ledger);
}

async function enterWait(ledger: RunLedger): Promise<void> {
  await ledger.step(async (tx) => ({
    state: { phase: 'wait', after: null, inContainer: '', afterFinding: 0, judgedAt: await serverTime(tx) },
  }));
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
