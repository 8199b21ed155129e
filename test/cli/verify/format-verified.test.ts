import { expect, it } from 'vitest';
import { formatVerified } from '../../../cli/verify/format-verified.ts';

const NONE = { source: 2, index: 2, sink: 2, differences: 0, shadowed: 0, unrepresentable: 0 };

it.each([
  [NONE, ['source 2, index 2, sink 2', 'They agree.']],
  [
    { ...NONE, shadowed: 1 },
    [
      'source 2, index 2, sink 2',
      '1 name is shadowed by a directory and 0 are no path; neither is a difference.',
      'They agree.',
    ],
  ],
  [
    { ...NONE, shadowed: 2, unrepresentable: 1, differences: 1 },
    [
      'source 2, index 2, sink 2',
      '2 names are shadowed by a directory and 1 is no path; neither is a difference.',
      '1 name differs.',
    ],
  ],
  [{ ...NONE, differences: 2 }, ['source 2, index 2, sink 2', '2 names differ.']],
])('what a verify found is told in one and in many: %j', (result, told) => {
  expect(formatVerified(result)).toEqual(told);
});
