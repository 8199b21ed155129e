import type { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../schema/inputs/names.ts';

/** `temporal.api.enums.v1.IndexedValueType`. */
const KEYWORD = 2;

/** Registers the search attributes that are missing. Needs an operator's right only where one is. */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const known = await searchAttributesOf(client);
  const missing = SEARCH_ATTRIBUTES.filter((name) => !Object.hasOwn(known, name));
  if (missing.length === 0) return;
  await operatorService(client)?.addSearchAttributes({
    namespace: client.options.namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}

/**
 * The namespace's own search attributes by name, as numbers of `IndexedValueType`. The list of the workflow service is
 * the cluster's, which tells nothing of a namespace's names.
 */
export async function searchAttributesOf(client: Client): Promise<Readonly<Record<string, number>>> {
  const listed = await operatorService(client)?.listSearchAttributes({ namespace: client.options.namespace });
  const attributes = Object.entries(listed?.customAttributes ?? {});
  return Object.fromEntries(attributes.map(([name, type]) => [name, Number(type)]));
}

function operatorService(client: Client): Connection['operatorService'] | undefined {
  return (client.connection as Partial<Connection>).operatorService;
}
