import type { Rule } from '../../namespace/rule.ts';
import { intersect, type KeySet, keySet, keysWithPrefix } from './key-set.ts';
import { filtersScope, rulesScope } from './rules-scope.ts';

/** The keys that a run may judge: Blob-authoritative, under the prefix that was asked for, and within what the report lets in. */
export function judgedKeys(
  rules: readonly Rule[],
  prefix: string,
  filters?: { readonly prefixMatch: readonly string[]; readonly excludePrefix: readonly string[] } | null,
): KeySet {
  const asked = intersect(rulesScope(rules, 'blob'), keySet([keysWithPrefix(prefix)]));
  return filters == null ? asked : intersect(asked, filtersScope(filters));
}
