import { isSystemContainer, type Key } from './key.ts';
import type { Rule, RuleSet } from './rule.ts';

/** The rules of one revision, ready to be asked for every change. */
export interface RuleIndex {
  readonly revision: number;
  /** The rule with the longest prefix of this key; undefined: the key is not federated. System containers never are. */
  match(key: Key): Rule | undefined;
  /** Whether a name below this directory, which has no closing slash, may be federated: a rule holds it, or lies in it. */
  touches(directory: Key): boolean;
}

/**
 * Prepares rules for matching. A match costs as many look-ups as the name has slashes, whatever the number of
 * rules. Throws where a prefix is not valid or is there twice: whoever reads rules from people checks them before.
 */
export function compileRules(set: RuleSet): RuleIndex {
  const everywhere = set.rules.find((rule) => rule.prefix === '');
  const byContainer = new Map<string, Map<string, Rule>>();
  const seen = new Set<string>();
  for (const rule of set.rules) {
    const reason = seen.has(rule.prefix) ? 'is there twice' : validatePrefix(rule.prefix);
    if (reason !== undefined) throw new RangeError(`The prefix '${rule.prefix}' ${reason}.`);
    seen.add(rule.prefix);
    if (rule === everywhere) continue;
    const slash = rule.prefix.indexOf('/');
    const container = rule.prefix.slice(0, slash);
    const prefixes = byContainer.get(container) ?? new Map<string, Rule>();
    byContainer.set(container, prefixes.set(rule.prefix.slice(slash + 1), rule));
  }
  const match = (key: Key): Rule | undefined => {
    if (isSystemContainer(key.container)) return undefined;
    const prefixes = byContainer.get(key.container);
    return (prefixes === undefined ? undefined : longest(prefixes, key.name)) ?? everywhere;
  };
  return {
    revision: set.revision,
    match,
    touches({ container, name }) {
      const below = `${name}/`;
      if (match({ container, name: below }) !== undefined) return true;
      for (const prefix of byContainer.get(container)?.keys() ?? []) if (prefix.startsWith(below)) return true;
      return false;
    },
  };
}

/** The exact name first, then every prefix of it that ends in a slash, the longest first, then the whole container. */
function longest(prefixes: ReadonlyMap<string, Rule>, name: string): Rule | undefined {
  const exact = prefixes.get(name);
  if (exact !== undefined) return exact;
  for (let slash = name.lastIndexOf('/'); slash >= 0; slash = slash === 0 ? -1 : name.lastIndexOf('/', slash - 1)) {
    const rule = prefixes.get(name.slice(0, slash + 1));
    if (rule !== undefined) return rule;
  }
  return prefixes.get('');
}

/** What Azure accepts as a container's name. */
const CONTAINER = /^(?:\$root|\$web|(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*)$/;

/** @returns why this is no prefix of a rule, to be read after the prefix itself; undefined where it is one. */
export function validatePrefix(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  const slash = prefix.indexOf('/');
  if (slash < 0) return "names no blob: a container is written with its closing slash, as 'container/'";
  const container = prefix.slice(0, slash);
  if (isSystemContainer(container)) return 'lies in a container that Azure keeps for itself, which is never federated';
  if (!CONTAINER.test(container)) return 'does not start with the name of a container';
  if (prefix.includes('\0')) return 'holds a NUL, which no blob name can';
  if (!prefix.isWellFormed()) return 'holds half of a surrogate pair';
  if (prefix.length - slash - 1 > 1024) return 'is longer than any blob name';
  return undefined;
}
