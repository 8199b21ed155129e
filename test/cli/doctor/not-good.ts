import type { Finding } from '../../../cli/doctor/finding.ts';

/** What an operator would have to read twice. */
export function notGood(findings: Iterable<Finding>): readonly Finding[] {
  return [...findings].filter(({ outcome }) => outcome !== 'good');
}
