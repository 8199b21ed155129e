import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../schema/inputs/names.ts';

/** A running workflow, as Temporal's visibility has it: a second or so behind. */
export interface WorkflowState {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly state: string;
}

const [, SOURCE, STATE] = SEARCH_ATTRIBUTES.map((name) => defineSearchAttributeKey(name, 'KEYWORD'));

/** The federation's workflows that have not ended. */
export async function workflowStates(client: Client, federation: string): Promise<readonly WorkflowState[]> {
  const states: WorkflowState[] = [];
  const query = `IsthmusFederation = "${federation}" AND ExecutionStatus = "Running"`;
  for await (const workflow of client.workflow.list({ query, pageSize: 200 })) {
    const { workflowId, type } = workflow;
    states.push({ id: workflowId, type, source: read(workflow, SOURCE), state: stateOf(workflow) });
  }
  return states;
}

/** Its `ControlState` by its search attribute, which stays with a workflow that has ended. */
export function stateOf(workflow: Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>): string {
  return read(workflow, STATE);
}

function read({ typedSearchAttributes }: Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>, key: typeof SOURCE) {
  return key === undefined ? '' : String(typedSearchAttributes.get(key) ?? '');
}
