import type { Rule, RuleSet } from '../../namespace/rule.ts';
import type { Index, Queryable, Tx } from './database.ts';
import { unbuilt } from './unbuilt.ts';

/** Makes these rules the live ones: a new revision where they differ from the live ones, else the live one. Waits for pages in flight. */
export async function publishRules(
  _index: Index,
  _accountId: number,
  _rules: readonly Rule[],
  _note: string,
): Promise<RuleSet> {
  return unbuilt('publishRules');
}

/** @returns undefined where none was ever published. */
export async function liveRules(_on: Queryable, _accountId: number): Promise<RuleSet | undefined> {
  return unbuilt('liveRules');
}

/** Holds the live revision `FOR SHARE` until the transaction ends. Throws `ISTHMUS_RULES_MOVED` where it is another one. */
export async function holdRules(_tx: Tx, _accountId: number, _ruleRevision: number): Promise<void> {
  return unbuilt('holdRules');
}
