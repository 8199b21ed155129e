import { isSystemContainer } from '../../namespace/key.ts';
import { hasCode, IsthmusError } from '../../schema/errors.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { isStorableKey } from '../../schema/index/storable.ts';
import type { InventoryRow } from '../../schema/inventory/row.ts';
import type { Judging } from '../judging.ts';
import { ContainerIds } from '../run/containers.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { InventoryOfRun } from '../run/run-state.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { includes, type KeySet } from '../scope/key-set.ts';
import { type Staging, StagingLost } from '../staging/staging.ts';
import { readReportFile } from './read-file.ts';

/**
 * Stages every file of a report and holds the whole to its manifest. A report that cannot be read to its last
 * row, or has other rows than its manifest counts, is rejected: nothing is concluded from it (invariant 7).
 */
export async function stageReport(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
): Promise<void> {
  const { inventory } = ledger.state;
  if (inventory === null) throw new IsthmusError('ISTHMUS_ASSERTION', `run ${ledger.run.id} has no report`);
  const rules = await liveRules(judging.index.db, judging.account.id);
  const scope = judgedKeys(rules?.rules ?? [], ledger.run.prefix, inventory.filters);
  try {
    for (let part = 0; part < inventory.files.length; part++) {
      if (ledger.state.staged.includes(part)) continue;
      await staging.forgetPart(part);
      await stageFile(judging, ledger, staging, { inventory, part, scope }, signal);
    }
  } catch (error) {
    if (!hasCode(error, 'ISTHMUS_REPORT_REJECTED')) throw error;
    await ledger.reject(error instanceof Error ? error.message : String(error));
    return;
  }
  // Rows of files that an earlier attempt staged may have gone with the server.
  const staged = [...(await staging.countByContainer()).values()].reduce((sum, count) => sum + count, 0);
  if (staged !== ledger.state.stagedRows) throw new StagingLost();
  const { rows } = ledger.counts;
  const counted = inventory.objectCount;
  // Azure may list a blob twice, and does not say whether it counts it twice.
  if (rows === counted || rows - (await staging.duplicates()) === counted) return;
  await ledger.reject(`its files hold ${rows} rows, its manifest counts ${counted}`);
}

async function stageFile(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  file: { readonly inventory: InventoryOfRun; readonly part: number; readonly scope: KeySet },
  signal: AbortSignal,
): Promise<void> {
  const { container, format, files } = file.inventory;
  const described = files[file.part];
  if (described === undefined) return;
  const ids = new ContainerIds(judging.index, judging.account.id);
  const key = { container, name: described.blob };
  let rows = 0;
  let staged = 0;
  for await (const batch of readReportFile(judging.blobs, key, { format, size: described.size }, signal)) {
    signal.throwIfAborted();
    const judged = batch.filter((row) => isJudged(row, file.scope));
    const idOf = await ids.of(judged.map((row) => row.container));
    await staging.append(
      file.part,
      judged.map((row) => ({ ...row, containerId: idOf(row.container) })),
    );
    rows += batch.length;
    staged += judged.length;
  }
  await ledger.step(async () => ({
    state: (now) => ({ staged: [...now.staged, file.part], stagedRows: now.stagedRows + staged }),
    counts: { rows },
  }));
}

/** Snapshots, old versions, deleted blobs and folders are no names; what the index cannot hold it cannot compare. */
function isJudged(row: InventoryRow, scope: KeySet): boolean {
  return row.kind === 'base' && !isSystemContainer(row.container) && isStorableKey(row) && includes(scope, row);
}
