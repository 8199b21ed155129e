import { describe, expect, it } from 'vitest';
import { formatStatus } from '../../../cli/status/format-status.ts';
import { type StatusOutput, statusOutput } from '../../../schema/outputs/status.ts';

const AT = '2026-11-21T12:00:00.000Z';
type Feed = NonNullable<StatusOutput['sources'][number]['feed']>;

function shown(feed: Partial<Feed>, more: Partial<StatusOutput> = {}, state = 'tailing'): readonly string[] {
  const all: Feed = {
    ...{ segment: 'idx/segments/2026/11/21/1200/meta.json', caughtUp: true, polledAt: AT, recordsPerSecond: null },
    ...{ why: null, gaps: [], openGaps: 0, skippedBlocks: 0, ...feed },
  };
  const source = { source: 'feed', state, reason: null, head: AT, applied: AT } as const;
  return formatStatus(
    statusOutput.parse({
      ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
      index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
      sources: [
        { ...source, lagSeconds: 0, behind: null, deadLetters: null, hubLosses: [], triggers: null, feed: all },
      ],
      ...{
        judges: [],
        lastReconcile: null,
        alarms: [],
        deadLetters: [],
        deadLettersUncounted: null,
        violations: { count: 0, last: null },
        ...more,
      },
    }),
  );
}

describe('the feed in a status', () => {
  it('shows where its reader is, when it polled, and its pace where it is known', () => {
    expect(shown({})).toContain(`    idx/segments/2026/11/21/1200/meta.json, at its end, polled at ${AT}`);
    expect(shown({ caughtUp: false, recordsPerSecond: 1234.5 }).join()).toContain(`${AT}, 1235 records/s`);
    expect(shown({ segment: null, polledAt: null })).toContain('    no segment read yet, never polled');
    expect(shown({ polledAt: null }).join()).toContain('meta.json, at its end, when it was last polled is not known');
    expect(shown({ segment: null, polledAt: null }, {}, 'stopped').join()).not.toContain('never polled');
    expect(shown({ skippedBlocks: 1 })).toContain('    skipped: 1 bad block');
  });

  it('counts one of each as one', () => {
    const one = { stubs: [{ sink: 'gpu', due: 1, failing: 1 }], violations: { count: 1, last: 'lake/x' } };
    const index = { live: 1, tombstones: 1, dead: 0, bytes: 0, lookDue: 0, stubDue: 1, byStub: {} };
    expect(shown({}, { ...one, index })).toEqual(
      expect.arrayContaining([
        '1 violation, the last: lake/x',
        '  1 live (0 B), 1 tombstone',
        '  gpu: 1 stub behind, 1 of them failing',
      ]),
    );
  });

  it.each([
    ['not-enabled', 'is not enabled'],
    ['hierarchical', 'hierarchical namespace'],
    ['forbidden', 'Storage Blob Data Reader'],
    ['missing', 'is gone'],
    ['disabled', 'switched off after it had worked'],
    ['something-new', 'something-new'],
  ])('says why there is none: %s', (why, words) => {
    expect(shown({ why }).find((line) => line.startsWith('    no feed: '))).toContain(words);
  });

  it('shows gaps that are not healed, and how many more there are, and what was skipped', () => {
    const gaps = [{ missing: 'log/00/\u001b[31m.avro', notedAt: AT, requestedAt: null }];
    const lines = shown({ gaps, openGaps: 3, skippedBlocks: 2 }).join('\n');
    expect(lines).toMatch(/ {4}gap: log\/00\/.*\.avro was gone at .*; no reconcile asked for yet/);
    expect(lines).not.toContain('\u001b');
    expect(lines).toContain('    and 2 more gaps\n    skipped: 2 bad blocks');
  });

  it('9: shows alarms first, without control characters', () => {
    const alarm = { about: 'feed', kind: 'gap', message: 'records are missing from \u001b[31m', since: AT } as const;
    const [, first] = shown({}, { alarms: [alarm] });
    expect(first).toMatch(/^ALARM {2}feed: records are missing/);
    expect(first).not.toContain('\u001b');
  });
});
