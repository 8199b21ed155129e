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
