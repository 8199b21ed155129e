import { describe, expect, it } from 'vitest';
import { judgeView } from '../../../cli/doctor/judge-view.ts';

const NAMED = { sink: 'gpu', root: '/mnt/vast' };
const mend =
  'Mount the view at /mnt/vast. Or, where this is to be the view from now on, have all its stubs made there: isthmus reconcile sink gpu --new-view';

describe('the view of a sink', () => {
  it.each([
    [
      'a mount point without its view',
      'one',
      false,
      undefined,
      false,
      'it bears no identity, as a mount point without its view',
    ],
    [
      'one that was used before there were identities, where another is known',
      'one',
      false,
      undefined,
      true,
      'it bears no identity, as a mount point without its view',
    ],
    ['another view', 'one', false, 'two', true, 'it bears the identity of another'],
    [
      'an unused folder of a sink that is older than identities',
      undefined,
      true,
      undefined,
      false,
      'no worker has ever used it, and the sink is older',
    ],
  ])('%s is wrong', (_what, viewId, hadView, found, wasUsed, why) => {
    const seen = { root: '/mnt/vast', viewId: found, wasUsed };
    expect(judgeView(seen, { viewId, hadView }, NAMED)).toEqual([
      { check: 'sink.gpu.view', outcome: 'wrong', says: `/mnt/vast is not the view of sink gpu: ${why}`, mend },
    ]);
  });

  it.each([
    ['the one that is known', 'one', false, 'one', 1],
    ['any, of a new sink', undefined, false, undefined, 0],
    ['one that bears an identity, of an index that was lost', undefined, false, 'one', 0],
    ['one that a worker of the time before has used', undefined, true, undefined, 0],
  ])('%s is right', (_what, viewId, hadView, found, told) => {
    const seen = { root: '/mnt/vast', viewId: found, wasUsed: hadView };
    const findings = judgeView(seen, { viewId, hadView }, NAMED);
    expect(findings).toHaveLength(told);
    expect(findings.every(({ outcome }) => outcome === 'good')).toBe(true);
  });
});
