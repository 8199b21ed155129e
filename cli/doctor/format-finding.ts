import { counted } from '../../schema/counted.ts';
import type { DoctorCheck, DoctorOutput } from '../../schema/outputs/doctor.ts';
import { printable } from '../terminal.ts';
import type { Finding, Outcome } from './finding.ts';

const WORD: Readonly<Record<Outcome, string>> = { good: 'ok', warning: 'warning', wrong: 'WRONG', unknown: '?' };
const WIDTH = 9;

/** A line for the check, and one more for each line of what mends it. */
export function findingLines({ check, outcome, says, mend }: Finding): readonly string[] {
  const mending = (mend ?? '').split('\n').filter((line) => line !== '');
  return [
    `${WORD[outcome].padEnd(WIDTH)}${printable(check)}: ${printable(says)}`,
    ...mending.map((line) => `${' '.repeat(WIDTH)}  ${printable(line)}`),
  ];
}

export function findingOutput({ check, outcome, says, mend }: Finding): DoctorCheck {
  return { check, outcome, says, mend: mend ?? null };
}

/** How many there are of each, and whether that is sound. */
export function summaryOf(findings: readonly Pick<Finding, 'outcome'>[], strict: boolean): DoctorOutput {
  const count = (outcome: Outcome) => findings.filter((finding) => finding.outcome === outcome).length;
  const [wrong, warnings] = [count('wrong'), count('warning')];
  return {
    sound: wrong === 0 && !(strict && warnings > 0),
    good: count('good'),
    warnings,
    wrong,
    unknown: count('unknown'),
  };
}

export function summaryLine({ sound, good, warnings, wrong, unknown }: DoctorOutput): string {
  const counts = `${good} good, ${wrong} wrong, ${counted(warnings, 'warning')}, ${unknown} not known`;
  return `${counts}. ${sound ? 'Sound.' : 'Not sound.'}`;
}
