import { hasCode, IsthmusError, messageOf } from '../../schema/errors.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { unstorableFinding } from '../causes/unstorable-finding.ts';
import { keepFindings } from '../judge/keep-findings.ts';
import type { Judging } from '../judging.ts';
import { allEnded } from '../run/all-ended.ts';
import { ContainerIds } from '../run/containers.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { InventoryOfRun } from '../run/run-state.ts';
import { judgedKeys } from '../scope/judged-keys.ts';
import { type Staging, StagingLost } from '../staging/staging.ts';
import { type ReportReader, readHere, ThreadReader } from './report-reader.ts';
import { stageFile } from './stage-file.ts';

export interface Readers {
  /** Files that are read at once. */
  readonly atOnce: number;
  /** What reads the files of a report of so many bytes in all, undefined where its manifest does not say. */
  open(bytes: number | undefined): ReportReader;
}

/** A report of so many bytes is worth threads. */
const LARGE = 16 * 1024 * 1024;

export const DEFAULT_READERS: Readers = {
  atOnce: 2,
  open: (bytes) => (bytes !== undefined && bytes < LARGE ? readHere : new ThreadReader()),
};

/**
 * Stages every file of a report and holds the whole to its manifest. A report that cannot be read to its last
 * row, or has other rows than its manifest counts, is rejected: nothing is concluded from it (invariant 7).
 *
 * Files are staged side by side, each by one COPY and so whole or not at all, and noted one by one: an attempt that
 * died goes on with the files that are not noted.
 */
export async function stageReport(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  signal: AbortSignal,
  readers: Readers = DEFAULT_READERS,
): Promise<void> {
  const { inventory } = ledger.state;
  if (inventory === null) throw new IsthmusError('ISTHMUS_ASSERTION', `run ${ledger.run.id} has no report`);
  try {
    await stageFiles(judging, ledger, staging, { inventory, readers }, signal);
  } catch (error) {
    if (!hasCode(error, 'ISTHMUS_REPORT_REJECTED')) throw error;
    await ledger.reject(messageOf(error));
    return;
  }
  if ((await staging.count()) !== ledger.state.stagedRows) throw new StagingLost();
  const { rows } = ledger.counts;
  const counted = inventory.objectCount;
  // Azure may list a blob twice, and does not say whether it counts it twice.
  if (rows === counted || rows - (await staging.duplicates()) === counted) return;
  await ledger.reject(`its files hold ${rows} rows, its manifest counts ${counted}`);
}

async function stageFiles(
  judging: Judging,
  ledger: RunLedger,
  staging: Staging,
  of: { readonly inventory: InventoryOfRun; readonly readers: Readers },
  signal: AbortSignal,
): Promise<void> {
  const { container, format, files, filters } = of.inventory;
  const rules = await liveRules(judging.index.db, judging.account.id);
  const scope = judgedKeys(rules?.rules ?? [], ledger.run.prefix, filters);
  // A file that was staged whole, and not noted, by an attempt that died between the two.
  await staging.forgetAllBut(ledger.state.staged);
  const left = [...files.entries()].filter(([part]) => !ledger.state.staged.includes(part));
  const bytes = files.reduce<number | undefined>((sum, { size }) => size && sum && sum + size, 1);
  const containers = new ContainerIds(judging.index, judging.account.id);
  const lane = async (stop: AbortSignal) => {
    await using reader = of.readers.open(bytes);
    const reading = { blobs: judging.blobs, staging, containers, reader };
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [part, { blob, size }] = next;
      const key = { container, name: blob };
      const file = { key, size, format, part, accountId: judging.account.id, scope };
      const { rows, staged, unstorable, unstorableNames } = await stageFile(reading, file, stop);
      const findings = unstorableNames.map((row) => unstorableFinding(row, row));
      await ledger.step(async (tx) => ({
        state: (now) => ({ staged: [...now.staged, part], stagedRows: now.stagedRows + staged }),
        counts: { ...(await keepFindings(tx, ledger, findings)), rows, unstorable },
      }));
    }
  };
  await allEnded(Math.min(of.readers.atOnce, left.length), lane, signal);
}
