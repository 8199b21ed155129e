import { counted } from '../../schema/counted.ts';
import type { RunCounts } from '../run/ledger.ts';

/** When a judge's word is not enough: more than both of these would be asked for at once. */
export interface Guard {
  /** Of the live entries in the judge's scope. */
  readonly percent: number;
  readonly names: number;
}

export const DEFAULT_GUARD: Guard = { percent: 10, names: 100 };

/**
 * The percent stop of invariant 7.
 *
 * @returns why the absent names must be left alone; undefined where they may be looked at.
 */
export function guardReason(counts: Pick<RunCounts, 'rows' | 'live' | 'missing'>, guard: Guard): string | undefined {
  const { rows, live, missing } = counts;
  if (missing === 0) return undefined;
  if (rows === 0) return `it lists nothing at all, where the index has ${counted(live, 'live name')}`;
  if (missing <= guard.names || missing * 100 <= live * guard.percent) return undefined;
  const percent = ((missing / live) * 100).toFixed(1);
  return `it lacks ${missing} of ${counted(live, 'live name')} (${percent} %, allowed are ${guard.percent} % or ${counted(guard.names, 'name')})`;
}
