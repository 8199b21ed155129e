import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ControlState } from '../schema/inputs/control.ts';
import { SEARCH_ATTRIBUTES } from '../schema/inputs/names.ts';

const [FEDERATION, SOURCE, STATE] = SEARCH_ATTRIBUTES;

/** Publishes what operators filter by. Only what differs is written: each write is an event of history. */
export function publishState(federation: string | undefined, source: string | undefined, state: ControlState): void {
  const wanted = { [FEDERATION]: federation, [SOURCE]: source, [STATE]: state };
  const known = workflowInfo().typedSearchAttributes;
  const changed = Object.entries(wanted).flatMap(([name, value]) => {
    const key = defineSearchAttributeKey(name, 'KEYWORD');
    return value === undefined || known.get(key) === value ? [] : [{ key, value }];
  });
  if (changed.length > 0) upsertSearchAttributes(changed);
}
