import type { ReconcileInput } from '../schema/inputs/activities.ts';
import type { JobInput, ScheduledReconcileInput } from '../schema/inputs/control.ts';
import { workflowIds } from '../schema/inputs/names.ts';
import { startAlone } from './start-alone.ts';

/** What the schedule of the account's reconcile starts. */
export async function scheduledReconcile({ federation, account }: ScheduledReconcileInput): Promise<string> {
  const job: JobInput & ReconcileInput = { federation, judge: 'auto' };
  return await startAlone('reconcile', workflowIds.reconcile(account), job, `Reconcile of ${account}`);
}
