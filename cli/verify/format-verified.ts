import { counted, isOrAre } from '../../schema/counted.ts';
import type { VerifyResult } from './difference.ts';

/** What a verify found, for people, after the differences themselves. */
export function formatVerified(result: VerifyResult): readonly string[] {
  const { source, index, sink, differences, shadowed, unrepresentable } = result;
  const lines = [`source ${source}, index ${index}, sink ${sink}`];
  if (shadowed + unrepresentable > 0) {
    const hidden = `${counted(shadowed, 'name')} ${isOrAre(shadowed)} shadowed by a directory`;
    lines.push(`${hidden} and ${unrepresentable} ${isOrAre(unrepresentable)} no path; neither is a difference.`);
  }
  lines.push(
    differences === 0 ? 'They agree.' : `${counted(differences, 'name')} ${differences === 1 ? 'differs' : 'differ'}.`,
  );
  return lines;
}
