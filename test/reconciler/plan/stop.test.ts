import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listsNothing, trippedBecause, trips } from '../../../reconciler/plan/stop.ts';

const stop = { percent: 1, names: 1_000 };

describe('7: the percent stop', () => {
  it.each([
    [1_000, 1_000, false],
    [1_001, 100_100, false],
    [1_001, 100_099, true],
    [50_000, 10_000_000, false],
  ])('of %i missing of %i trips: %s', (missing, live, expected) => {
    expect(trips({ missing, live }, stop)).toBe(expected);
  });

  it('trips at the first name where both bounds are 0', () => {
    expect(trips({ missing: 1, live: 1_000_000_000 }, { percent: 0, names: 0 })).toBe(true);
    expect(trips({ missing: 0, live: 1 }, { percent: 0, names: 0 })).toBe(false);
  });

  it('trips only above both bounds', () => {
    const share = fc.record({ missing: fc.nat(5_000), live: fc.nat(100_000) });
    const bounds = fc.record({ percent: fc.nat(100), names: fc.nat(5_000) });
    fc.assert(
      fc.property(share, bounds, (of, at) => {
        if (!trips(of, at)) return;
        expect(of.missing).toBeGreaterThan(at.names);
        expect(of.missing / of.live).toBeGreaterThan(at.percent / 100);
      }),
    );
  });

  it('trips wherever nothing at all is listed of an account, and for a prefix where that is many names', () => {
    expect(listsNothing({ listed: 0, missing: 1, live: 1, prefix: '' }, stop)).toBe(true);
    expect(listsNothing({ listed: 0, missing: 1_000, live: 1_000, prefix: 'lake/a/' }, stop)).toBe(false);
    expect(listsNothing({ listed: 0, missing: 1_001, live: 1_001, prefix: 'lake/a/' }, stop)).toBe(true);
    expect(listsNothing({ listed: 1, missing: 9_999, live: 9_999, prefix: '' }, stop)).toBe(false);
  });

  it.each([
    [{ of: 'all' } as const, 'it lacks 2 of 2 live names (100.0 %, allowed are 10 % or 1 name)'],
    [
      { of: 'container', name: 'lake' } as const,
      'it lacks 2 of 2 live names of lake/ (100.0 %, allowed are 10 % or 1 name)',
    ],
    [
      { of: 'rule', prefix: 'lake/a/' } as const,
      "it lacks 2 of 2 live names under the rule 'lake/a/' (100.0 %, allowed are 10 % or 1 name)",
    ],
  ])('says of what it tripped: %j', (of, text) => {
    expect(trippedBecause({ share: { ...of, missing: 2, live: 2 }, stop: { percent: 10, names: 1 } })).toBe(text);
  });
});
