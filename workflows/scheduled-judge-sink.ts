import type { ScheduledJudgeSinkInput } from '../schema/inputs/control.ts';
import type { JudgeSinkJob } from '../schema/inputs/judge-sink.ts';
import { workflowIds } from '../schema/inputs/names.ts';
import { startAlone } from './start-alone.ts';

/** What the schedule of a sink starts. */
export async function scheduledJudgeSink({ federation, account, sink }: ScheduledJudgeSinkInput): Promise<string> {
  const job: JudgeSinkJob = { federation, sink };
  return await startAlone('judgeSink', workflowIds.judgeSink(account, sink), job, `Judge of ${account} in ${sink}`);
}
