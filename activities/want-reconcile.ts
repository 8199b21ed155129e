import { formatKey } from '../namespace/key.ts';
import type { InventoryCompleted } from '../schema/events/inventory-completed.ts';
import { recordJournal } from '../schema/index/journal.ts';
import { upsertSource } from '../schema/index/sources.ts';
import type { Services } from './services.ts';

/** Asks for a reconcile by the report of a run. One that another rule wrote, or that did not succeed, is not asked for. */
export async function wantReconcile(
  services: Pick<Services, 'account' | 'federation' | 'index' | 'requestReconcile'>,
  run: InventoryCompleted,
): Promise<void> {
  const { account, federation, index } = services;
  const inventory = federation.sources.inventory;
  if (inventory === undefined || (inventory.rule !== undefined && inventory.rule !== run.rule)) return;
  const { manifest } = run;
  if (manifest === undefined || run.status !== 'Succeeded' || manifest.container !== inventory.container) {
    const { rule, status, message } = run;
    await recordJournal(index.db, account.id, [{ kind: 'inventory-unusable', detail: { rule, status, message } }]);
    const ended = status === 'Succeeded' ? `left no report in ${inventory.container}` : `ended as ${status}`;
    const unusable = `a run of the inventory rule ${rule} ${ended}${message === '' ? '' : `: ${message}`}`;
    await upsertSource(index.db, {
      ...{ accountId: account.id, source: 'inventory', state: 'unusable', reason: unusable },
      // Kept, until a report is judged, whatever else is said meanwhile.
      detail: { unusable },
    });
    return;
  }
  await services.requestReconcile({ judge: 'inventory', manifest: formatKey(manifest) });
}
