import { describe, expect, it } from 'vitest';
import { formatHydrated, whyNothing } from '../../cli/commands/format-hydrated.ts';
import { whatToDo } from '../../cli/reconcile/format-summary.ts';
import type { ReconcileSummary } from '../../schema/inputs/activities.ts';

const NOTHING = { files: 0, already: 0, bytes: 0, failed: 0, failures: [] };
const COUNTS = { listed: 0, agreed: 0, filled: 0, applied: 0, looks: 0, missing: 0 };
const UNJUDGED: ReconcileSummary = { runId: 1, judge: 'none', outcome: 'nothing-to-do', ...COUNTS };

describe('a command that found nothing', () => {
  it('to hydrate says that no live entry starts with the prefix', () => {
    expect(whyNothing('lake/nope', NOTHING)).toMatch(/^No live entry .* starts with 'lake\/nope'/);
  });

  it('to hydrate names no reason where something was there', () => {
    for (const some of [{ files: 1 }, { already: 1 }, { failed: 1, failures: ['lake/a: gone'] }])
      expect(whyNothing('lake/', { ...NOTHING, ...some })).toBeUndefined();
    expect(formatHydrated({ ...NOTHING, failed: 1, failures: ['a\u001b[31m'] }).join()).not.toContain('\u001b');
  });

  it('to judge by says what to do', () => {
    for (const judge of ['auto', 'inventory'] as const) expect(whatToDo(judge, UNJUDGED)).toContain('--judge listing');
    expect(whatToDo('auto', { ...UNJUDGED, judge: 'listing', outcome: 'complete' })).toBeUndefined();
  });
});
