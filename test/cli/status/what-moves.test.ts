import { expect, it } from 'vitest';
import { whatMoves } from '../../../cli/status/what-moves.ts';
import { MANY } from '../../../schema/index/moving.ts';

const GLANCE = { sources: [] };

it.each([
  [
    1,
    [
      'look: 1 name is to be looked at',
      'sweep: 1 container is to be swept',
      'look: 1 directory that was deleted or renamed is worked off',
      'stub:gpu: 1 stub is behind',
    ],
  ],
  [
    MANY,
    [
      'look: 1000 or more names are to be looked at',
      'sweep: 1000 or more containers are to be swept',
      'look: 1000 or more directories that were deleted or renamed are worked off',
      'stub:gpu: 1000 or more stubs are behind',
    ],
  ],
])('what is on its way is told in one and in many: %i', (due, told) => {
  const moving = { looks: due, sweeps: due, subtrees: due, stubs: [{ sink: 'gpu', due }], runs: [] };
  expect(whatMoves(GLANCE, moving)).toEqual(told);
});

it('a run that waits for a person is told as such, and whose it is', () => {
  const runs = [
    { id: 4, sink: undefined, waits: true },
    { id: 5, sink: 'gpu', waits: false },
  ];
  expect(whatMoves({ sources: [] }, { looks: 0, sweeps: 0, subtrees: 0, stubs: [], runs })).toEqual([
    'inventory: reconcile 4 waits until somebody approves or rejects its deletes',
    'sink:gpu: reconcile 5 is running',
  ]);
});
