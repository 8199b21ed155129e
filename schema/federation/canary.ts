import { formatKey, type Key } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';

/** What of a federation names its canary. */
interface CanaryOf {
  readonly name: string;
  readonly sources: { readonly canary?: { readonly container: string } | undefined };
}

/** The one blob that Isthmus itself writes to see whether triggers come; undefined where the federation wants none. */
export function canaryKey({ name, sources }: CanaryOf): Key | undefined {
  const { canary } = sources;
  return canary === undefined ? undefined : { container: canary.container, name: `.isthmus/canary-${name}` };
}

/**
 * The rules that a worker publishes: the file's own, and one that takes the canary's name out of every other, so that
 * no event, listing or report makes an entry of it (invariant 11).
 */
export function rulesOf(federation: CanaryOf & { readonly rules: readonly Rule[] }): readonly Rule[] {
  const key = canaryKey(federation);
  if (key === undefined) return federation.rules;
  return [...federation.rules, { prefix: formatKey(key), authority: 'isthmus', sink: '' }];
}
