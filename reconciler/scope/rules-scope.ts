import { compareKeys, parseKey } from '../../namespace/key.ts';
import type { Authority, Rule } from '../../namespace/rule.ts';
import { ALL_KEYS, type KeyRange, type KeySet, keySet, keysWithPrefix, oneKey, without } from './key-set.ts';

/**
 * The keys whose longest matching rule gives this side the authority. Everything that judges or compares
 * whole ranges works on it, so that it agrees name by name with how a single change is matched.
 *
 * Rules nest or stand apart, never overlap in part, so one sweep in key order settles thousands of them.
 */
export function rulesScope(rules: readonly Rule[], authority: Authority): KeySet {
  const spans = rules
    .map((rule) => ({ rule, range: rangeOf(rule.prefix) }))
    .toSorted((a, b) => compareKeys(a.range.from, b.range.from) || a.rule.prefix.length - b.rule.prefix.length);
  const ours: KeyRange[] = [];
  const open: { readonly range: KeyRange; readonly ours: boolean }[] = [];
  let at = spans[0]?.range.from;
  const closeUpTo = (to: KeyRange['to']): void => {
    const top = open.at(-1);
    if (top?.ours === true && at !== undefined) ours.push({ from: at, to });
    at = to;
  };
  for (const { rule, range } of spans) {
    for (let top = open.at(-1); top !== undefined && endsBefore(top.range, range); top = open.at(-1)) {
      closeUpTo(top.range.to);
      open.pop();
    }
    closeUpTo(range.from);
    open.push({ range, ours: rule.authority === authority });
  }
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    closeUpTo(top.range.to);
    open.pop();
  }
  return keySet(ours);
}

/** The keys that this very rule rules: those below its prefix, without those of the rules that lie in it. */
export function ruleScope(rules: readonly Rule[], rule: Rule): KeySet {
  const own = keySet([rangeOf(rule.prefix)]);
  const inner = rules.filter(({ prefix }) => prefix !== rule.prefix && prefix.startsWith(rule.prefix));
  return without(own, keySet(inner.map(({ prefix }) => rangeOf(prefix))));
}

function rangeOf(prefix: string): KeyRange {
  return prefix === '' || prefix.endsWith('/') ? keysWithPrefix(prefix) : oneKey(parseKey(prefix));
}

function endsBefore(open: KeyRange, next: KeyRange): boolean {
  return open.to !== undefined && compareKeys(open.to, next.from) <= 0;
}

/** What an inventory rule's own filters let into its reports: nothing can be concluded of any other key. */
export function filtersScope(filters: {
  readonly prefixMatch: readonly string[];
  readonly excludePrefix: readonly string[];
}): KeySet {
  const included = filters.prefixMatch.length === 0 ? ALL_KEYS : keySet(filters.prefixMatch.map(keysWithPrefix));
  return without(included, keySet(filters.excludePrefix.map(keysWithPrefix)));
}
