import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../schema/inputs/names.ts';

/** `temporal.api.enums.v1.IndexedValueType`. */
const KEYWORD = 2;

/** Registers the search attributes that are missing. Needs an operator's right only where one is. */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const known = await client.connection.workflowService.getSearchAttributes({});
  const missing = SEARCH_ATTRIBUTES.filter((name) => !Object.hasOwn(known.keys, name));
  if (missing.length === 0) return;
  const { operatorService } = client.connection as { operatorService?: OperatorService };
  await operatorService?.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}

interface OperatorService {
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}
