import { describe, expect, it } from 'vitest';
import { formatStatus } from '../../../cli/status/format-status.ts';
import { type StatusOutput, statusOutput } from '../../../schema/outputs/status.ts';

const AT = '2026-11-21T12:00:00.000Z';
type Source = StatusOutput['sources'][number];

function sourceOf(source: 'trigger' | 'event-hubs', received: number, more: Partial<Source> = {}): Source {
  return {
    ...{ source, state: 'receiving', reason: null, head: AT, applied: AT, lagSeconds: 0, behind: null },
    ...{ deadLetters: null, hubLosses: [], feed: null },
    triggers: {
      ...{ listeningSince: AT, receivedAt: AT, lateLimitSeconds: 900, canary: null },
      lastHour: {
        ...{ received, late: 0, medianLatenessSeconds: 1 },
        ...{ firstByTrigger: 3, firstByFeed: 1, wonByTrigger: 0.75 },
      },
    },
    ...more,
  };
}

function shown(...sources: readonly Source[]): readonly string[] {
  return formatStatus(
    statusOutput.parse({
      ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
      index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
      ...{
        sources,
        judges: [],
        lastReconcile: null,
        alarms: [],
        deadLetters: [],
        deadLettersUncounted: null,
        violations: { count: 0, last: null },
      },
    }),
  );
}

describe('triggers in a status', () => {
  it('are told of each transport by its name, and once what told first', () => {
    const lines = shown(sourceOf('trigger', 4), sourceOf('event-hubs', 7));
    expect(lines.filter((line) => line.startsWith('    '))).toEqual([
      '    last hour by Service Bus: 4 triggers, half of them within 1 s',
      '    told first: 3 by a trigger of either transport (75 %), 1 by the feed',
      '    last hour by Event Hubs: 7 triggers, half of them within 1 s',
    ]);
  });

  it('say what told first of the one transport that there is', () => {
    expect(shown(sourceOf('event-hubs', 7))).toContain('    told first: 3 by a trigger (75 %), 1 by the feed');
  });

  it('that wait in an event hub do so for about as long as is said', () => {
    const waits = { behind: 'messages wait', lagSeconds: 12 };
    expect(shown(sourceOf('event-hubs', 7, waits)).join()).toMatch(/lag about 12/);
    expect(shown(sourceOf('trigger', 7, waits)).join()).toMatch(/lag 12/);
    expect(shown(sourceOf('event-hubs', 7)).join()).toMatch(/lag 0/);
  });
});
