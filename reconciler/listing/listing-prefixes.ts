import { formatKey, isSystemContainer } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';

/**
 * The prefixes of `container/name` to list, so that every key under these Blob-authoritative rules and this
 * plain prefix is listed once. More may be listed than the rules want (a name next to an exact one, a part
 * under VAST's authority): whoever lists asks the scope.
 */
export function listingPrefixes(rules: readonly Rule[], prefix: string): readonly string[] {
  const wanted = rules
    .filter((rule) => rule.authority === 'blob')
    .map((rule) => (rule.prefix.startsWith(prefix) ? rule.prefix : prefix.startsWith(rule.prefix) ? prefix : undefined))
    .filter((each) => each !== undefined)
    .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // Sorted, a prefix stands before all that it covers.
  const kept: string[] = [];
  for (const each of wanted) {
    const last = kept.at(-1);
    if (last === undefined || !each.startsWith(last)) kept.push(each);
  }
  return kept;
}

/** The prefixes of names to list in one container. */
export function namePrefixes(prefixes: readonly string[], container: string): readonly string[] {
  if (isSystemContainer(container)) return [];
  const start = formatKey({ container, name: '' });
  if (prefixes.some((prefix) => start.startsWith(prefix))) return [''];
  return prefixes.filter((prefix) => prefix.startsWith(start)).map((prefix) => prefix.slice(start.length));
}
