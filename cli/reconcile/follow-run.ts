import { setTimeout as sleep } from 'node:timers/promises';
import { runSummary } from '../../reconciler/report.ts';
import { readRun } from '../../schema/index/runs.ts';
import type { ReconcileSummary } from '../../schema/inputs/activities.ts';
import { workflowIds } from '../../schema/inputs/names.ts';
import type { Call } from '../call.ts';
import { follow } from '../commands/follow.ts';
import type { OpenAccount } from '../open-account.ts';
import type { TemporalClient } from '../temporal.ts';

const POLL_MS = 300;

/** Follows a run to its end, whichever workflow does it, and shows meanwhile what that is at. */
export async function followRun(
  { client }: TemporalClient,
  { index, federation }: OpenAccount,
  runId: number,
  call: Call,
): Promise<ReconcileSummary> {
  const handle = client.workflow.getHandle(workflowIds.reconcile(federation.account.name));
  const again = [`\`isthmus reconcile plan ${runId}\` tells what has become of it.`];
  return await follow(handle, call, again, async () => {
    for (;;) {
      const run = await readRun(index.db, runId);
      if (run === undefined) throw new Error(`Run ${runId} is gone.`);
      if (run.outcome !== undefined) return await runSummary(index.db, run);
      await sleep(POLL_MS, undefined, { signal: call.signal });
    }
  });
}
