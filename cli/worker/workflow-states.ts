import type { Client } from '@temporalio/client';
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
  for await (const { workflowId, type, typedSearchAttributes } of client.workflow.list({ query, pageSize: 200 })) {
    const read = (key: typeof SOURCE) => (key === undefined ? '' : String(typedSearchAttributes.get(key) ?? ''));
    states.push({ id: workflowId, type, source: read(SOURCE), state: read(STATE) });
  }
  return states;
}
