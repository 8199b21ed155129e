import { workflowInfo } from '@temporalio/workflow';
import type { Checked } from '../schema/inputs/check.ts';
import { taskQueueOf } from '../schema/inputs/names.ts';
import { refusal } from './failure.ts';

/** @throws ApplicationFailure that refuses the update, or ends the workflow: a wrong input gets no better by trying again. */
export function accept<Value>(checked: Checked<Value>): Value {
  if ('value' in checked) return checked.value;
  throw refusal(checked.problem, 'ISTHMUS_USAGE');
}

/** What a workflow starts with. It must name the federation whose workers do its work, or it would be shown as another's. */
export function acceptStart<Job extends { readonly federation: string }>(checked: Checked<Job>): Job {
  const job = accept(checked);
  const { taskQueue, workflowType } = workflowInfo();
  const prefix = taskQueueOf('');
  if (!taskQueue.startsWith(prefix) || taskQueue === taskQueueOf(job.federation)) return job;
  const served = taskQueue.slice(prefix.length);
  return accept({
    problem: `${workflowType}: "federation" is "${job.federation}", but expected "${served}", whose workers take from task queue ${taskQueue}.`,
  });
}
