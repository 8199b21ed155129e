import { describe, expect, it } from 'vitest';
import { formatStatus } from '../../../cli/status/format-status.ts';
import { tellSources } from '../../../cli/status/tell-sources.ts';
import type { WorkflowStatus } from '../../../cli/status/workflow-status.ts';
import { type StatusOutput, statusOutput } from '../../../schema/outputs/status.ts';

const AT = '2026-11-21T12:00:00.000Z';
const said = (source: 'trigger' | 'event-hubs' | 'feed', state: string): StatusOutput['sources'][number] => ({
  ...{ source, state, reason: null, head: AT, applied: AT, lagSeconds: 0, behind: null, deadLetters: null, feed: null },
  ...{ triggers: null, hubLosses: [] },
});
const SOURCES = [said('trigger', 'receiving'), said('feed', 'tailing')];
const NONE = { byOrigin: [], last: undefined };
const SOME = {
  byOrigin: [
    { origin: 'event-grid', count: 1 },
    { origin: 'service-bus', count: 2 },
  ],
  last: { reason: 'not-json', description: 'the body is not JSON\u001b[31m', at: Date.parse(AT) },
} as const;

const NO_LETTERS = { deadLetters: [], deadLettersUncounted: null };

const loop = (source: string, more: Partial<WorkflowStatus>): WorkflowStatus => ({
  ...{ id: `x/${source}`, source, running: true, state: 'running', doing: null, reason: null, since: null },
  ...more,
});

describe('the sources of a status', () => {
  it('are paused, with the reason, where their loop is', () => {
    const loops = [loop('trigger', {}), loop('feed', { state: 'paused', reason: 'storage moves' })];
    const [trigger, feed] = tellSources(SOURCES, loops, NONE);
    expect(trigger).toMatchObject({ state: 'receiving', reason: null });
    expect(feed).toMatchObject({ state: 'paused', reason: 'storage moves' });
  });

  it('say what they said where Temporal does not answer', () => {
    expect(tellSources(SOURCES, undefined, NONE).map(({ state }) => state)).toEqual(['receiving', 'tailing']);
  });

  it('tell how many messages were dead-lettered, and why the last was', () => {
    const [trigger, feed] = tellSources(SOURCES, [], SOME);
    expect(trigger?.deadLetters).toMatchObject({ count: 3, byOrigin: SOME.byOrigin, lastAt: AT });
    expect(trigger?.deadLetters?.lastReason).toMatch(/^not-json: the body is not JSON/);
    expect(feed?.deadLetters).toBeNull();
  });

  it('tell what an event hub has lost, and no other source does', () => {
    const losses = [
      { what: 'made-anew', lastAt: Date.parse(AT) },
      { what: 'removed', lastAt: Date.parse(AT) },
    ] as const;
    const sources = tellSources([...SOURCES, said('event-hubs', 'receiving')], [], NONE, losses);
    expect(sources.map(({ hubLosses }) => hubLosses)).toEqual([
      [],
      [],
      losses.map((each) => ({ ...each, lastAt: AT })),
    ]);
    const status: StatusOutput = {
      ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
      index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
      ...{ sources, judges: [], lastReconcile: null, alarms: [], ...NO_LETTERS, violations: { count: 0, last: null } },
    };
    const lines = formatStatus(statusOutput.parse(status)).filter((line) => line.startsWith('    lost: '));
    expect(lines[0]).toMatch(/the event hub was made anew under its name.*2026-11-21T12:00:00/);
    expect(lines[1]).toMatch(/retention removed events before they were read/);
    expect(lines).toHaveLength(2);
  });

  it('do not show people as exact a count of dead letters that stopped at its limit', () => {
    const status: StatusOutput = {
      ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
      index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
      ...{ sources: SOURCES, judges: [], lastReconcile: null, alarms: [], violations: { count: 0, last: null } },
      deadLettersUncounted: null,
      deadLetters: [
        { origin: 'service-bus', reason: 'not-json', count: 100, atLeast: true },
        { origin: 'event-grid', reason: 'bad-event', count: 7, atLeast: false },
      ],
    };
    const lines = formatStatus(statusOutput.parse(status)).join('\n');
    expect(lines).toMatch(/^ {2}service-bus {2}at least 100 {2}not-json$/m);
    expect(lines).toMatch(/^ {2}event-grid {3}7 {13}bad-event$/m);
  });

  it('show people the dead letters that can be counted, and say why the others cannot be', () => {
    const status: StatusOutput = {
      ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
      index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
      ...{ sources: SOURCES, judges: [], lastReconcile: null, alarms: [], violations: { count: 0, last: null } },
      deadLetters: [{ origin: 'event-grid', reason: 'bad-event', count: 7, atLeast: false }],
      deadLettersUncounted: 'InvalidSignature\u001b[31m',
    };
    const lines = formatStatus(statusOutput.parse(status)).join('\n');
    expect(lines).toMatch(/^ {2}event-grid {3}7 {12}bad-event$/m);
    expect(lines).toMatch(/^ {2}service-bus {2}not counted {2}InvalidSignature\\u001b\[31m$/m);
  });

  it('show dead letters to people below the trigger, without control characters, and only where there are any', () => {
    const shown = (letters: typeof SOME | typeof NONE) => {
      const status: StatusOutput = {
        ...{ federation: 'lake', account: 'contoso', at: AT, settled: true, moving: [], stubs: [], workflows: [] },
        index: { live: 0, tombstones: 0, dead: 0, bytes: 0, lookDue: 0, stubDue: 0, byStub: {} },
        ...{ sources: tellSources(SOURCES, [], letters), judges: [], lastReconcile: null, alarms: [] },
        deadLettersUncounted: null,
        deadLetters:
          letters === NONE ? [] : [{ origin: 'service-bus', reason: 'odd \u001b[31m', count: 3, atLeast: false }],
        violations: { count: 2, last: 'lake/x: PutBlob of 0x8D1 over none in the index' },
      };
      return formatStatus(statusOutput.parse(status));
    };
    const lines = shown(SOME);
    expect(lines.join()).toContain('2 violations, the last: lake/x: PutBlob of 0x8D1');
    const at = lines.findIndex((line) => line.includes('receiving'));
    expect(lines[at + 1]).toMatch(
      /^ {4}dead-lettered: 3 \(event-grid 1, service-bus 2\), the last at .*: not-json: the body is not JSON/,
    );
    expect(lines).toContain('  service-bus  3  odd \\u001b[31m');
    expect(lines.join()).not.toContain('\u001b');
    expect(shown(NONE).join()).not.toMatch(/dead-lettered|dead letters/i);
  });
});
