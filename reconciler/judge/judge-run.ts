import { compareUtf8 } from '../../namespace/key.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { type ContainerRow, listContainers, noteContainerGone } from '../../schema/index/containers.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { Judging } from '../judging.ts';
import { holdsLive } from '../listing/holds-live.ts';
import { containerGoneAt } from '../listing/list-container.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { RunState } from '../run/run-state.ts';
import { serverTime } from '../run/server-time.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { type NameRange, namesWithin } from '../scope/key-set.ts';
import { onLoss, stageRun } from '../stage.ts';
import { Staging } from '../staging/staging.ts';
import { findMissingPiece } from './find-missing.ts';
import { type Guard, guardReason } from './guard.ts';
import { judgeListedPiece } from './judge-listed.ts';
import { wantMissingPiece } from './want-missing.ts';

interface Judged extends ContainerRow {
  readonly name: string;
  readonly ranges: readonly NameRange[];
}

/**
 * Judges what a run has staged; stages it first where that is not done, or was lost with the server.
 *
 * @returns the ledger, in phase `wait` or ended.
 */
export async function judgeRun(judging: Judging, runId: number, guard: Guard, signal: AbortSignal): Promise<RunLedger> {
  const ledger = await stageRun(judging, runId, signal);
  const staging = new Staging(judging.index, runId);
  if (!ledger.ended) await onLoss(ledger, staging, () => judge(judging, ledger, staging, guard, signal));
  return ledger;
}

/**
 * Compares what is staged with the index: first what the judge listed (`present`), then what it lacks
 * (`absent`), then, unless the guard stops it, a look at each missing name (`want`). Every piece commits with
 * its place, so that an attempt that dies is taken up where it was. Ends in `wait`.
 */
async function judge(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  const rules = await liveRules(judging.index.db, judging.account.id);
  const { inventory, keepsNames } = ledger.state;
  const scope = judgedKeys(rules?.rules ?? [], ledger.run.prefix, inventory?.filters);
  const containers = (await listContainers(judging.index.db, judging.account.id))
    .map((container): Judged => ({ ...container, ranges: namesWithin(scope, container.name) }))
    .filter((container) => container.ranges.length > 0);

  if (ledger.state.phase === 'present') {
    if (inventory !== null) {
      await walk(ledger, containers, signal, (container) => judgeListedPiece(judging, ledger, staging, container));
      await askAbsentContainers(judging, staging, containers, signal);
    }
    await enter(ledger, keepsNames && inventory?.filters.createdInLastDays === undefined ? 'absent' : 'wait');
  }
  if (ledger.state.phase === 'absent') {
    // What is known of a container may just have changed.
    const known = new Map((await listContainers(judging.index.db, judging.account.id)).map((each) => [each.id, each]));
    await walk(ledger, containers, signal, async (container) => {
      for (const range of container.ranges) {
        const of = { container: known.get(container.id) ?? container, range };
        if (await findMissingPiece(judging, ledger, staging, of)) return true;
      }
      return false;
    });
    const reason = guardReason(ledger.counts, guard);
    if (reason === undefined) await enter(ledger, 'want');
    else await stop(judging, ledger, reason);
  }
  while (ledger.state.phase === 'want') {
    signal.throwIfAborted();
    if (!(await wantMissingPiece(judging, ledger, staging))) await enter(ledger, 'wait');
  }
}

/** Container by container, in key order, piece by piece, from where the ledger says that it stopped. */
async function walk(
  ledger: RunLedger,
  containers: readonly Judged[],
  signal: AbortSignal,
  piece: (container: Judged) => Promise<boolean>,
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

/**
 * A container of which the report lists nothing may be empty or gone; an inventory cannot tell. Its own answer
 * does, at once, instead of one look for each of its names.
 */
async function askAbsentContainers(
  judging: Judging,
  staging: Staging,
  containers: readonly Judged[],
  signal: AbortSignal,
): Promise<void> {
  for (const { id, name } of containers) {
    signal.throwIfAborted();
    if ((await staging.lists(id)) || !(await holdsLive(judging, id))) continue;
    const gone = await containerGoneAt(judging.blobs, name, signal);
    if (gone === undefined) continue;
    await transact(judging.index, (tx) => noteContainerGone(tx, judging.account.id, name, gone));
  }
}
