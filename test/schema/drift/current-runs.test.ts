import { describe, expect, it } from 'vitest';
import { currentRuns, runText } from '../../../schema/drift/current-runs.ts';
import type { SeenRun } from '../../../schema/index/run-standing.ts';

const run = (id: number, more: Partial<SeenRun>): SeenRun => ({
  ...{ id, judge: 'listing', sink: undefined, prefix: '', filtered: false, outcome: 'complete', reason: undefined },
  ...{ startedAt: id, endedAt: id, movedAt: id, phase: 'wait', waitingSince: undefined, decision: undefined },
  ...{ trouble: undefined, counts: {} },
  ...more,
});

describe('the runs whose findings are the newest', () => {
  it.each<[string, Partial<SeenRun>[], number[]]>([
    ['a newer one of everything', [{}, {}], [2]],
    ['not one of a prefix', [{}, { prefix: 'lake/' }], [2, 1]],
    ['of a prefix, one of all that it judged', [{ prefix: 'lake/a' }, { prefix: 'lake/' }], [2]],
    ['a listing, an inventory', [{ judge: 'inventory' }, {}], [2]],
    ['an inventory of every name, a listing', [{}, { judge: 'inventory' }], [2]],
    ['not one that leaves names out', [{}, { judge: 'inventory', filtered: true }], [2, 1]],
    ['not one of a sink', [{}, { judge: 'sink', sink: 'gpu' }], [2, 1]],
    [
      'nor one of another sink',
      [
        { judge: 'sink', sink: 'a' },
        { judge: 'sink', sink: 'b' },
      ],
      [2, 1],
    ],
    ['not one that failed', [{}, { outcome: 'failed' }], [1]],
    ['nor whose report was rejected', [{}, { outcome: 'rejected' }], [1]],
    ['nor one under way', [{}, { outcome: undefined, endedAt: undefined }], [1]],
    ['but one that waits for a person', [{}, { outcome: undefined, waitingSince: 5 }], [2]],
    ['and one that a person has let go on', [{}, { outcome: undefined, decision: 'approved' }], [2]],
    ['and one that was guarded', [{}, { outcome: 'guarded' }], [2]],
  ])('take the place of older ones: %s', (_, runs, expected) => {
    const newestFirst = runs.map((more, at) => run(at + 1, more)).reverse();
    expect(currentRuns(newestFirst).map(({ id }) => id)).toEqual(expected);
  });

  it('are called by who judged what', () => {
    expect(runText(run(7, {}))).toBe('run 7 by a listing of everything');
    expect(runText(run(7, { prefix: 'lake/a' }))).toBe('run 7 by a listing of lake/a');
    expect(runText(run(7, { judge: 'inventory' }))).toBe('run 7 by inventory');
    expect(runText(run(7, { judge: 'sink', sink: 'gpu' }))).toBe('run 7 of sink gpu');
  });
});
