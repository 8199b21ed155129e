import { describe, expect, it } from 'vitest';
import { judgeTriggers, type TriggerSight } from '../../../activities/observability/judge-triggers.ts';
import { noTally, type TriggerMinutes } from '../../../schema/index/trigger-minutes.ts';
import type { TriggerWatchRow } from '../../../schema/index/trigger-watch.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const LIMIT = 15 * MINUTE;

const listening = (more: Partial<TriggerWatchRow> = {}): TriggerWatchRow => ({
  source: 'trigger',
  heardAt: NOW - 20_000,
  since: NOW - 600 * MINUTE,
  receivedAt: NOW - 60 * MINUTE,
  untold: undefined,
  canary: { writtenAt: undefined, waitingSince: undefined, error: undefined },
  ...more,
});

const untold = (minutesAgo: number): Partial<TriggerWatchRow> => ({
  untold: { time: NOW - (minutesAgo + 3) * MINUTE, notedAt: NOW - minutesAgo * MINUTE, name: 'lake/a' },
});
const canary = (minutesAgo: number, error?: string): Partial<TriggerWatchRow> => ({
  canary: { writtenAt: NOW - MINUTE, waitingSince: NOW - minutesAgo * MINUTE, error },
});

const minutes = (recent: Partial<TriggerMinutes['recent']> = {}): TriggerMinutes => ({
  lastHour: noTally(),
  recent: { received: 0, late: 0, lateMinutes: 0, lateSince: undefined, ...recent },
});
const LATE = { received: 10, late: 5, lateMinutes: 2, lateSince: NOW - 4 * MINUTE };

const judge = (watch: TriggerWatchRow | undefined, more: Partial<TriggerSight> = {}) =>
  judgeTriggers({
    ...{ now: NOW, limitMs: LIMIT, watch, minutes: minutes(), waiting: false, paused: false, distrusted: false },
    canary: 'lake/.isthmus/canary-lake',
    ...more,
  });
const kinds = (watch: TriggerWatchRow | undefined, more: Partial<TriggerSight> = {}) =>
  judge(watch, more).alarms.map(({ kind }) => kind);

describe('9: who sends triggers', () => {
  it('9: is missed once nothing came for the limit after the feed has told a change', () => {
    expect(kinds(listening(untold(15)))).toEqual([]);
    const { alarms, missedSince } = judge(listening(untold(15.1)));
    expect(missedSince).toBe(NOW - 15.1 * MINUTE);
    expect(alarms).toMatchObject([{ source: 'trigger', kind: 'unannounced', since: missedSince }]);
    expect(alarms[0]?.message).toMatch(/change of lake\/a at .*subscription.*filters.*dead letters.*isthmus doctor/);
    expect(judge(listening({ source: 'event-hubs', ...untold(16) })).alarms).toMatchObject([{ source: 'event-hubs' }]);
  });

  it('9: is missed once the trigger of a canary did not come for the limit', () => {
    expect(kinds(listening(canary(15)))).toEqual([]);
    const { alarms } = judge(listening(canary(16)));
    expect(alarms).toMatchObject([{ kind: 'unannounced', since: NOW - 16 * MINUTE }]);
    expect(alarms[0]?.message).toMatch(/canary lake\/\.isthmus\/canary-lake.*subscription.*isthmus doctor/);
  });

  it('9: cannot be watched where the canary cannot be written, which is told with what the account said', () => {
    const { alarms } = judge(listening(canary(16, '403: AuthorizationPermissionMismatch')));
    expect(alarms).toMatchObject([{ kind: 'unannounced' }]);
    expect(alarms[0]?.message).toMatch(/cannot be written since .*AuthorizationPermissionMismatch.*Contributor/);
  });

  it.each<[string, TriggerWatchRow | undefined, Partial<TriggerSight>]>([
    ['nothing was to be told', listening(), {}],
    ['its intake has never run', undefined, {}],
    ['nobody listens any more', listening({ ...untold(60), heardAt: NOW - 6 * MINUTE }), {}],
    ['messages wait, which is another alarm', listening(untold(60)), { waiting: true }],
    ['the intake is paused', listening(untold(60)), { paused: true }],
    ['triggers are distrusted', listening(untold(60)), { distrusted: true }],
    ['the federation has no canary any more', listening(canary(60)), { canary: undefined }],
  ])('9: is not missed where %s', (_, watch, more) => {
    expect(judge(watch, more)).toEqual({ missedSince: undefined, lateSince: undefined, alarms: [] });
  });

  it('9: is late where half of what came was', () => {
    const { alarms, lateSince } = judge(listening(), { minutes: minutes(LATE) });
    expect(lateSince).toBe(LATE.lateSince);
    expect(alarms).toMatchObject([{ source: 'trigger', kind: 'late', since: lateSince }]);
    expect(alarms[0]?.message).toMatch(/5 of the last 10 triggers came more than 900 s late.*isthmus status.*doctor/);
  });

  it.each<[string, Partial<TriggerMinutes['recent']>, boolean]>([
    ['fewer than half of them were late', { ...LATE, received: 11 }, false],
    [
      'all that was late came in one minute, as a message that is delivered again does',
      { ...LATE, lateMinutes: 1 },
      false,
    ],
    ['triggers are distrusted', LATE, true],
    ['nothing came', {}, false],
  ])('9: is not late where %s', (_, recent, distrusted) => {
    expect(kinds(listening(), { minutes: minutes(recent), distrusted })).toEqual([]);
  });
});
