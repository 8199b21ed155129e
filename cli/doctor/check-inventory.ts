import type { BlobServiceClient } from '@azure/storage-blob';
import { askContainer } from '../../activities/azure/account-questions.ts';
import { AzureBlobSource } from '../../activities/azure/blob-source.ts';
import { formatKey } from '../../namespace/key.ts';
import { newestManifests } from '../../reconciler/inventory/find-report.ts';
import { messageOf } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { parseManifest } from '../../schema/inventory/manifest.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import { type Asking, ask } from './ask.ts';
import { explainStorageFailure } from './azure-failure.ts';
import { type Finding, good, wrong } from './finding.ts';
import { judgeNoReport, judgeReport, type NewestReport } from './judge-inventory.ts';

type Inventory = NonNullable<Federation['sources']['inventory']>;

/** Looks at the newest report whose run has ended, as a reconcile would, without reading its rows. */
export async function* checkInventory(
  { account, sources }: Pick<Federation, 'account' | 'sources'>,
  service: BlobServiceClient,
  asking: Asking,
): AsyncGenerator<Finding> {
  const { inventory } = sources;
  if (inventory === undefined) return;
  const { container, everyHours } = inventory;
  const place = { account: account.name, container, everyHours };
  const found = await ask(asking, `container ${container}`, (signal) => askContainer(service, container, signal));
  if (!found.answered) {
    const { says, mend } = explainStorageFailure(found.error, account.name);
    yield wrong('inventory.container', `container ${container} of ${account.name} cannot be read: ${says}`, mend);
    return;
  }
  if (found.answer === undefined) {
    yield wrong(
      'inventory.container',
      `${account.name} has no container ${container}, to which inventory reports are to come`,
      `Correct sources.inventory.container, or: az storage container create --account-name ${account.name} -n ${container}, ` +
        'and let an inventory rule write there (portal: Blob inventory, Add a rule).',
    );
    return;
  }
  yield good('inventory.container', `container ${container} is there`);

  const now = Date.now();
  const blobs = new AzureBlobSource(service);
  const report = await ask(asking, 'the newest inventory report', (signal) =>
    newestReport(blobs, inventory, now, signal),
  );
  if (!report.answered) {
    yield wrong(
      'inventory.report',
      `the newest report in ${container} cannot be read: ${messageOf(report.error)}`,
      `az storage blob list --account-name ${account.name} -c ${container} --query "[].name"`,
    );
  } else if (report.answer === undefined) yield judgeNoReport(place, found.answer.changedAt, now);
  else yield* judgeReport(place, report.answer, now);
}

/** @returns undefined where no run has ended. */
async function newestReport(
  blobs: BlobSource,
  inventory: Inventory,
  now: number,
  signal: AbortSignal,
): Promise<NewestReport | undefined> {
  for (const { path } of await newestManifests(blobs, inventory, now, signal)) {
    const key = { container: inventory.container, name: path };
    const text = await blobs.readText(key, signal);
    if (text === undefined) continue;
    const { status, rule, objectType, start, fields, filters } = parseManifest(text);
    if (status !== 'Pending') return { manifest: formatKey(key), rule, status, objectType, start, fields, filters };
  }
  return undefined;
}
