import { isDeepStrictEqual } from 'node:util';
import type { Rule, RuleSet } from '../../namespace/rule.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import type { Account } from '../../schema/index/accounts.ts';
import { type Finding, good, unknown, warning } from './finding.ts';

/** What the index knows of a federation's account; a worker writes it at its start. */
export interface Published {
  readonly account: Pick<Account, 'margin'>;
  readonly rules: RuleSet | undefined;
  /** The roots of the sinks, by name. */
  readonly roots: ReadonlyMap<string, string>;
}

/** What a worker that starts with the federation file publishes. */
export interface Wanted extends Pick<Federation, 'name' | 'sinks'> {
  readonly account: Pick<Federation['account'], 'name' | 'marginSeconds'>;
  readonly rules: readonly Rule[];
}

const RESTART = 'Restart every worker with this file, or name the file that they were started with.';

/** Holds the federation file against what the workers were started with. */
export function judgeRules({ account, rules, name, sinks }: Wanted, published: Published | undefined): Finding {
  const check = 'federation.published';
  if (published?.rules === undefined) {
    return unknown(
      check,
      `no worker has published the rules of ${name} yet`,
      'isthmus worker publishes them when it starts.',
    );
  }
  const { revision, rules: live } = published.rules;
  const wanted = rules.map(({ prefix, authority, sink }) => ({ prefix, authority, sink }));
  const differences: string[] = [];
  if (!isDeepStrictEqual(wanted, live)) {
    const differ = differing(wanted, live).map((prefix) => `'${prefix}'`);
    const where = differ.length === 0 ? 'in their order' : `at ${differ.join(', ')}`;
    differences.push(`the rules of the file differ from the live ones (revision ${revision}) ${where}`);
  }
  const { margin } = published.account;
  if (margin !== account.marginSeconds * 1000) {
    differences.push(`account.marginSeconds of the file is ${account.marginSeconds}, of the workers ${margin / 1000}`);
  }
  for (const [sink, { root }] of Object.entries(sinks)) {
    const told = published.roots.get(sink);
    if (told === undefined || told === root) continue;
    differences.push(`sinks.${sink}.root of the file is ${root}, of the workers ${told}`);
  }
  if (differences.length > 0) return warning(check, differences.join('; '), RESTART);
  return good(check, `rules, margin and roots of the file are those of the workers (revision ${revision})`);
}

function differing(wanted: RuleSet['rules'], live: RuleSet['rules']): readonly string[] {
  const of = (rules: RuleSet['rules'], prefix: string) => rules.find((rule) => rule.prefix === prefix);
  const prefixes = new Set([...wanted, ...live].map(({ prefix }) => prefix));
  return [...prefixes].filter((prefix) => !isDeepStrictEqual(of(wanted, prefix), of(live, prefix)));
}
