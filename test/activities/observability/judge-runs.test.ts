import { describe, expect, it } from 'vitest';
import type { JudgesSight } from '../../../activities/observability/judge-facts.ts';
import { judgeRuns } from '../../../activities/observability/judge-runs.ts';
import { wantedJudges } from '../../../activities/observability/wanted-judges.ts';
import { federationSchema } from '../../../schema/federation/federation.ts';
import type { FindingCount } from '../../../schema/index/findings.ts';
import type { JudgeTally, SeenRun } from '../../../schema/index/run-standing.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 22, 12);

const of = (sources: object) =>
  federationSchema.parse({
    ...{ name: 'lake', account: { name: 'contoso' }, sources, sinks: { gpu: { kind: 'fileView', root: '/x' } } },
    rules: [{ prefix: '', authority: 'blob', sink: 'gpu' }],
  });
const WANTED = wantedJudges(of({ inventory: { container: 'inventory' } }));

const run = (id: number, more: Partial<SeenRun> = {}): SeenRun => ({
  ...{ id, judge: 'inventory', sink: undefined, prefix: '', filtered: false, outcome: 'complete', reason: undefined },
  ...{ startedAt: NOW - HOUR, endedAt: NOW - HOUR, movedAt: NOW - HOUR, phase: 'wait', waitingSince: undefined },
  ...{ trouble: undefined },
  ...{ decision: undefined, counts: {}, ...more },
});
const underWay = (id: number, more: Partial<SeenRun> = {}) =>
  run(id, { outcome: undefined, endedAt: undefined, phase: 'stage', ...more });
const good = (judge: JudgeTally['judge'], hoursAgo: number, sink?: string): JudgeTally => ({
  ...{ judge, sink, byOutcome: { complete: 1 }, lastGood: NOW - hoursAgo * HOUR },
});
const ALL_GOOD = [good('inventory', 1), good('sink', 1, 'gpu')];

function heads(more: Partial<Omit<JudgesSight, 'standing'>> & Partial<JudgesSight['standing']> = {}) {
  const { tallies, runs, wantedSince, ...sight } = {
    ...{ tallies: ALL_GOOD, runs: [], wantedSince: NOW - 100 * HOUR },
    ...more,
  };
  return judgeRuns({
    ...{ now: NOW, wanted: WANTED, findings: new Map(), driftLimit: 100, pauses: {} },
    ...{ noReport: undefined, unusable: undefined, ...sight },
    standing: { tallies, runs, wantedSince },
  });
}
const alarms = (more: Parameters<typeof heads>[0]) => heads(more).flatMap((head) => head.alarms);
const told = (more: Parameters<typeof heads>[0]) => alarms(more).map(({ source, kind }) => `${source} ${kind}`);

describe('9: a judge that is overdue', () => {
  it('9: is one that has judged nothing for twice its time, be it of the account or of a sink', () => {
    expect(told({})).toEqual([]);
    expect(told({ tallies: [good('inventory', 47), good('sink', 47, 'gpu')] })).toEqual([]);
    expect(told({ tallies: [good('inventory', 49), good('sink', 1, 'gpu')] })).toEqual(['inventory overdue']);
    expect(told({ tallies: [good('inventory', 1), good('sink', 49, 'gpu')] })).toEqual(['sink:gpu overdue']);
  });

  it('9: is one that never judged, from when rules were first given', () => {
    expect(told({ tallies: [], wantedSince: NOW - 47 * HOUR })).toEqual([]);
    expect(told({ tallies: [], wantedSince: NOW - 49 * HOUR })).toEqual(['inventory overdue', 'sink:gpu overdue']);
    expect(told({ tallies: [], wantedSince: undefined })).toEqual([]);
  });

  it('9: is not made good by a listing, where an inventory is to come; without one, a listing is due', () => {
    expect(told({ tallies: [good('listing', 1), good('sink', 1, 'gpu')] })).toEqual(['inventory overdue']);
    const wanted = wantedJudges(of({}));
    expect(told({ wanted, tallies: [good('listing', 49), good('sink', 1, 'gpu')] })).toEqual(['listing overdue']);
    expect(told({ wanted, tallies: [good('listing', 47), good('sink', 1, 'gpu')] })).toEqual([]);
  });

  it('9: says whether its report did not come, is Pending, was rejected, or its run failed', () => {
    const tallies = [good('inventory', 60), good('sink', 1, 'gpu')];
    const why = (more: Parameters<typeof heads>[0]) => alarms({ tallies, ...more })[0]?.message;
    expect(why({})).toContain('no report came: look whether the inventory rule');
    expect(why({ noReport: 'inventory/x-manifest.json is Pending' })).toContain('x-manifest.json is Pending');
    const unusable = 'a run of the inventory rule daily ended as Failed: no access';
    expect(why({ noReport: 'there is no report in inventory', unusable })).toContain(unusable);
    const rejected = run(3, { outcome: 'rejected', reason: 'its checksum is of another manifest' });
    expect(why({ runs: [rejected] })).toContain('rejected (its checksum is of another manifest)');
    expect(why({ runs: [underWay(4, { movedAt: NOW })] })).toContain('run 4 by inventory is under way');
    expect(why({ pauses: { inventory: { reason: 'a move' } } })).toContain('its loop is paused (a move)');
  });

  it('9: is no judge that is only asked now and then, nor of a sink that the file names no more', () => {
    const tallies = [...ALL_GOOD, good('listing', 900), good('sink', 900, 'old')];
    expect(told({ tallies })).toEqual([]);
    expect(heads({ tallies }).map(({ about }) => about)).toEqual(['inventory', 'sink:gpu', 'listing']);
  });
});

describe('9: a run', () => {
  it('that waits for a person is an alarm until it does not, and says what decides it', () => {
    const runs = [underWay(12, { waitingSince: NOW - 50 * HOUR, movedAt: NOW - 50 * HOUR, phase: 'approve' })];
    const [alarm, ...others] = alarms({ runs });
    expect(alarm).toMatchObject({ source: 'inventory', kind: 'waiting-approval', since: NOW - 50 * HOUR });
    for (const command of ['plan', 'approve', 'reject']) expect(alarm?.message).toContain(`reconcile ${command} 12`);
    expect(others).toEqual([]);
  });

  it('that waits is told while another is under way, and so is another that waits', () => {
    const waits = underWay(12, { waitingSince: NOW - HOUR, prefix: 'a/', judge: 'listing' });
    const second = underWay(13, { waitingSince: NOW, prefix: 'b/', judge: 'listing' });
    const tallies = [...ALL_GOOD, good('listing', 1)];
    const [alarm, ...others] = alarms({
      tallies,
      runs: [underWay(14, { judge: 'listing', movedAt: NOW }), second, waits],
    });
    expect(alarm).toMatchObject({ source: 'listing', kind: 'waiting-approval', since: NOW - HOUR });
    expect(alarm?.message).toContain('and so does run 13 by a listing of b/');
    expect(others).toEqual([]);
  });

  it('9: that does no step is stuck, later while it waits for its looks', () => {
    const stuck = (minutes: number, phase: string) =>
      told({ runs: [underWay(12, { movedAt: NOW - minutes * MINUTE, phase })] });
    expect(stuck(14, 'compare')).toEqual([]);
    expect(stuck(16, 'compare')).toEqual(['inventory stuck']);
    expect(stuck(70, 'wait')).toEqual([]);
    expect(stuck(76, 'wait')).toEqual(['inventory stuck']);
  });

  it('that failed is an alarm until another of the account, or of the sink, ends otherwise', () => {
    const failed = { outcome: 'failed', reason: 'ISTHMUS_BUG' } as const;
    expect(alarms({ runs: [run(5, failed)] })[0]?.message).toContain('run 5 by inventory failed: ISTHMUS_BUG');
    expect(told({ runs: [run(6, { judge: 'listing' }), run(5, failed)] })).toEqual([]);
    expect(told({ runs: [run(6, { judge: 'sink', sink: 'gpu' }), run(5, failed)] })).toEqual(['inventory failed']);
    expect(told({ runs: [underWay(6, { movedAt: NOW }), run(5, failed)] })).toEqual(['inventory failed']);
    const sinkRun = { judge: 'sink', sink: 'gpu' } as const;
    expect(told({ runs: [run(6), run(5, { ...failed, ...sinkRun })] })).toEqual(['sink:gpu failed']);
    expect(told({ runs: [run(6, sinkRun), run(5, { ...failed, ...sinkRun })] })).toEqual([]);
    const guarded = run(7, { ...sinkRun, outcome: 'guarded', reason: 'its root is gone' });
    expect(alarms({ runs: [guarded] }).map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
      'failed: run 7 of sink gpu has mended nothing: its root is gone; `isthmus reconcile sink gpu` asks for another',
    ]);
    expect(told({ runs: [run(8, sinkRun), guarded] })).toEqual([]);
  });
});

describe('9: a run under way whose attempts fail', () => {
  it('9: rings once it has not got on for two minutes, and says why; it is not told as stuck, too', () => {
    const failing = (minutes: number) =>
      alarms({ runs: [underWay(12, { movedAt: NOW - minutes * MINUTE, trouble: 'the account answers 403' })] });
    expect(failing(1)).toEqual([]);
    for (const minutes of [3, 60]) {
      expect(failing(minutes)).toMatchObject([{ source: 'inventory', kind: 'failed' }]);
      expect(failing(minutes)[0]?.message).toContain('its last attempt failed: the account answers 403');
    }
  });
});

describe('drift', () => {
  const finding = (more: Partial<FindingCount>): FindingCount => ({
    ...{ difference: 'not-listed', cause: 'missed-by-both', state: 'repaired', count: 1, repeated: 0, ...more },
  });

  it('above the limit is an alarm, mended or not; what is no drift does not count', () => {
    const found = (counts: SeenRun['counts']) => told({ runs: [run(5, { counts })] });
    expect(found({ 'cause.missed-by-both': 60, 'cause.tier-moved': 40, 'cause.changed-since': 900 })).toEqual([]);
    expect(found({ 'cause.missed-by-both': 60, 'cause.tier-moved': 41 })).toEqual(['inventory drift']);
    const [alarm] = alarms({ runs: [run(5, { counts: { 'cause.tier-moved': 1, 'cause.missed-by-both': 200 } })] });
    expect(alarm?.message).toContain('201 names (missed-by-both 200, tier-moved 1), more than the 100');
  });

  it('of a run that waits counts by what it kept', () => {
    const runs = [underWay(5, { waitingSince: NOW })];
    const findings = new Map([[5, [finding({ state: 'held', count: 101 })]]]);
    expect(told({ runs, findings })).toEqual(['inventory waiting-approval', 'inventory drift']);
  });

  it('that an older run found, and a newer one did not, is over', () => {
    expect(told({ runs: [run(6), run(5, { counts: { 'cause.missed-by-both': 900 } })] })).toEqual([]);
  });

  it('that three runs in a row found is an alarm, but not of names that nothing can make otherwise', () => {
    const again = (more: Partial<FindingCount>) =>
      told({ runs: [run(5)], findings: new Map([[5, [finding({ repeated: 1, ...more })]]]) });
    expect(again({ repeated: 0 })).toEqual([]);
    expect(again({})).toEqual(['inventory repeated']);
    expect(again({ cause: 'changed-since', state: 'explained' })).toEqual([]);
    expect(again({ cause: 'unstorable-name', state: 'open' })).toEqual([]);
  });
});
