import { describe, expect, it } from 'vitest';
import { formatExplanation } from '../../cli/commands/format-explanation.ts';
import { type ExplainOutput, explainOutput } from '../../schema/outputs/explain.ts';

const AT = '2026-11-21T12:00:00.000Z';

function shown(change: { source: string; eventId: string }, lookDue: ExplainOutput['lookDue'] = null): string {
  const nothing = { attributes: null, clock: null, rule: null, stub: null };
  const changed = { ...change, time: AT, appliedAt: AT, ruleRevision: 1 };
  const entry = { container: 'lake', name: 'a', known: true, live: true, ...nothing, change: changed, lookDue };
  return formatExplanation(explainOutput.parse(entry)).join('\n');
}

describe('an explanation', () => {
  it('says in words why the blob was looked at, or is to be', () => {
    expect(shown({ source: 'look', eventId: 'unvalued' })).toMatch(
      /put there by +look unvalued \(what was told of it /,
    );
    const due = shown({ source: 'trigger', eventId: 'id-1' }, { reason: 'no-clock', error: 'timed out' });
    expect(due).toMatch(/put there by +trigger id-1$/m);
    expect(due).toMatch(/look due +no-clock \(.* no sequencer .*\): timed out$/m);
  });

  it('leaves an id as it is that is no reason for a look', () => {
    expect(shown({ source: 'look', eventId: 'hydrate/7' })).toMatch(/put there by +look hydrate\/7$/m);
    expect(shown({ source: 'trigger', eventId: 'unvalued' })).toMatch(/put there by +trigger unvalued$/m);
    expect(shown({ source: 'look', eventId: 'x' }, { reason: null, error: null })).toMatch(/look due +wanted$/m);
  });
});
