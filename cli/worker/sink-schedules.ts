import { type Client, ScheduleNotFoundError, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Federation } from '../../schema/federation/federation.ts';
import type { ScheduledJudgeSinkInput } from '../../schema/inputs/control.ts';
import { taskQueueOf, workflowIds } from '../../schema/inputs/names.ts';

type StartSchedule = ScheduleOptions & { readonly action: { readonly workflowType: string } };

/** A schedule for each sink that the file names: it is judged beside the account, and by itself. */
export function sinkSchedules({ name, account, sinks, reconcile }: Federation): readonly StartSchedule[] {
  return Object.keys(sinks).map((sink) => {
    const input: ScheduledJudgeSinkInput = { federation: name, account: account.name, sink };
    return {
      scheduleId: workflowIds.judgeSink(account.name, sink),
      spec: { intervals: [{ every: `${reconcile.sinksEveryHours}h` as `${number}h` }], jitter: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'scheduledJudgeSink',
        workflowId: workflowIds.scheduledJudgeSink(account.name, sink),
        taskQueue: taskQueueOf(name),
        args: [input],
        workflowTaskTimeout: '5s',
        staticSummary: `Starts the judge of ${account.name} in ${sink}`,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' },
    };
  });
}

/**
 * Ends the schedules of the account's sinks that the file does not name any more. A worker that still has the older file
 * makes them anew when it starts.
 *
 * @returns the ids of those that this call ended.
 */
export async function endUnnamedSinkSchedules(
  client: Client,
  { account, sinks }: Pick<Federation, 'account' | 'sinks'>,
): Promise<readonly string[]> {
  const ended: string[] = [];
  const start = workflowIds.judgeSink(account.name, '');
  for await (const { scheduleId } of client.schedule.list()) {
    if (!scheduleId.startsWith(start) || Object.hasOwn(sinks, scheduleId.slice(start.length))) continue;
    try {
      await client.schedule.getHandle(scheduleId).delete();
      ended.push(scheduleId);
    } catch (error) {
      // The list is a second behind.
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
  return ended;
}
