import { describe, expect, it } from 'vitest';
import { good, unknown, warning, wrong } from '../../../cli/doctor/finding.ts';
import { findingLines, findingOutput, summaryLine, summaryOf } from '../../../cli/doctor/format-finding.ts';
import { doctorCheck, doctorOutput } from '../../../schema/outputs/doctor.ts';

const FINDINGS = [
  good('a.b', 'it is there'),
  warning('a.c', 'it is slow', 'make it fast'),
  wrong('a.d', 'it is gone\u001b[2J', 'first\nsecond'),
  unknown('a.e', 'nobody tells'),
];

describe('a finding', () => {
  it('is a line, with one more for each line of what mends it, and no control character', () => {
    expect(FINDINGS.flatMap(findingLines)).toEqual([
      'ok       a.b: it is there',
      'warning  a.c: it is slow',
      '           make it fast',
      'WRONG    a.d: it is gone\\u001b[2J',
      '           first',
      '           second',
      '?        a.e: not known, because nobody tells',
    ]);
  });

  it('is published as its schema says', () => {
    expect(FINDINGS.map((finding) => doctorCheck.parse(findingOutput(finding)).mend)).toEqual([
      null,
      'make it fast',
      'first\nsecond',
      null,
    ]);
  });

  it.each([
    [FINDINGS, false, false],
    [FINDINGS.slice(0, 2), false, true],
    [FINDINGS.slice(0, 2), true, false],
    [[good('a.b', ''), unknown('a.e', '')], true, true],
  ])('of %j, strict: %j, is sound: %j', (findings, strict, sound) => {
    const summary = doctorOutput.parse(summaryOf(findings, strict));
    expect(summary.sound).toBe(sound);
    expect(summaryLine(summary)).toContain(sound ? 'Sound.' : 'Not sound.');
  });
});
