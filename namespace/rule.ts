/** The side that may change names. `isthmus` is neither: what Isthmus itself writes there, its canary, is nobody's name. */
export type Authority = 'blob' | 'vast' | 'isthmus';

/** A prefix with its authority and its sink. */
export interface Rule {
  /**
   * `container/`, `container/path/` with its closing slash, the exact name of one blob (`container/name`), or
   * the empty prefix, which is every container of the account.
   */
  readonly prefix: string;
  readonly authority: Authority;
  /** The name of the sink in the federation. */
  readonly sink: string;
  /** Where the percent stop of this rule is; without it, where the federation says. */
  readonly stop?: DeleteStop | undefined;
}

/**
 * The percent stop (invariant 7): where a judge lacks more names than `names` and more than `percent` of those that
 * there are, nothing is deleted before a person approved it.
 */
export interface DeleteStop {
  readonly percent: number;
  readonly names: number;
}

/** The sink that shows the stubs of what this rule rules; undefined: Isthmus keeps none of it. */
export function stubSink(rule: Rule | undefined): string | undefined {
  return rule?.authority === 'blob' ? rule.sink : undefined;
}

/** The rules of one revision. Revisions are numbered from 1 and never change. */
export interface RuleSet {
  readonly revision: number;
  readonly rules: readonly Rule[];
}
