import { describe, expect, it } from 'vitest';
import { judgeTemporal, type TemporalFacts } from '../../../cli/doctor/judge-temporal.ts';
import type { WorkflowStatus } from '../../../cli/status/workflow-status.ts';
import { notGood } from './not-good.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const KEYWORD = 2;
const SOUND: TemporalFacts = {
  address: 'temporal:7233',
  namespace: 'lake',
  serverVersion: '1.29.1',
  retentionMs: 72 * 3_600_000,
  state: 1,
  attributes: { IsthmusFederation: KEYWORD, IsthmusSource: KEYWORD, IsthmusState: KEYWORD, Other: 1 },
  taskQueue: 'isthmus-lake',
  account: 'contoso',
  mine: { federation: 'lake', index: '2026-11-21T10:00:00.000Z' },
  owner: { federation: 'lake', index: '2026-11-21T10:00:00.000Z' },
  sources: { unnamed: [], missing: [] },
  polledAt: [NOW - 3_000],
  loops: [loop('feed', 'waiting'), loop('look', 'running')],
};

function loop(
  source: string,
  state: WorkflowStatus['state'],
  stopped: Pick<WorkflowStatus, 'reason' | 'since'> = { reason: null, since: null },
): WorkflowStatus {
  return { id: `${source}/contoso`, source, running: true, state, doing: null, ...stopped };
}

describe('what Temporal says of itself', () => {
  it('is no finding where it is as it must be', () => {
    expect(notGood(judgeTemporal(SOUND, NOW))).toEqual([]);
  });

  it.each<[string, Partial<TemporalFacts>, string, string, RegExp]>([
    ['an old server', { serverVersion: '1.22.4' }, 'warning', 'temporal.version', /Upgrade/],
    ['no namespace', { retentionMs: undefined, state: 0 }, 'wrong', 'temporal.namespace', /namespace create -n lake/],
    ['a namespace that goes', { state: 3 }, 'wrong', 'temporal.namespace', /TEMPORAL_NAMESPACE/],
    ['a retention of an hour', { retentionMs: 3_600_000 }, 'warning', 'temporal.namespace', /--retention 72h/],
    [
      'workers with another file',
      { sources: { missing: ['event-hub-intake/contoso'], unnamed: ['trigger-intake/contoso'] } },
      'warning',
      'temporal.sources',
      /restart every one/,
    ],
    [
      'a search attribute that is missing',
      { attributes: { IsthmusFederation: KEYWORD, IsthmusSource: KEYWORD } },
      'wrong',
      'temporal.attributes',
      /search-attribute create -n lake --name IsthmusState --type Keyword/,
    ],
    [
      'one of another type',
      { attributes: { ...SOUND.attributes, IsthmusState: 1 } },
      'wrong',
      'temporal.attributes',
      /search-attribute remove -n lake --name IsthmusState/,
    ],
    [
      'workflows of another index',
      { owner: { federation: 'lake', index: '2026-11-20T10:00:00.000Z' } },
      'wrong',
      'temporal.federation',
      /DATABASE_URL/,
    ],
    ['no worker', { polledAt: [] }, 'wrong', 'temporal.worker', /isthmus worker/],
    ['a worker that has gone', { polledAt: [NOW - 200_000] }, 'wrong', 'temporal.worker', /isthmus worker/],
  ])('names %s, and what mends it', (_, changed, outcome, check, mend) => {
    const found = notGood(judgeTemporal({ ...SOUND, ...changed }, NOW));
    expect(found.map((finding) => [finding.outcome, finding.check])).toEqual([[outcome, check]]);
    expect(found[0]?.mend).toMatch(mend);
  });

  it.each([
    [[3_000], '1 worker has polled isthmus-lake within 90 s'],
    [[3_000, 91_000, 200_000], '1 worker has polled isthmus-lake within 90 s'],
    [[3_000, 59_000, 200_000], '2 workers have polled isthmus-lake within 90 s; those killed since are among them'],
  ])('9: counts no worker as there that last polled longer ago than a poll lasts: %j', (ago, says) => {
    const found = judgeTemporal({ ...SOUND, polledAt: ago.map((ms) => NOW - ms) }, NOW);
    expect(found.find(({ check }) => check === 'temporal.worker')).toMatchObject({ outcome: 'good', says });
  });

  it('is not known where it does not tell its version', () => {
    expect(notGood(judgeTemporal({ ...SOUND, serverVersion: undefined }, NOW))).toMatchObject([{ outcome: 'unknown' }]);
  });

  it('9: names a source that is paused, since when and why, and one that stopped in alarm', () => {
    const stopped = { since: '2026-11-21T11:00:00.000Z', reason: 'an hour back' };
    const loops = [loop('look', 'running'), loop('feed', 'paused', stopped), loop('stub:gpu', 'alarm', stopped)];
    const [paused, alarmed] = notGood(judgeTemporal({ ...SOUND, loops }, NOW));
    expect(paused).toMatchObject({
      outcome: 'warning',
      check: 'temporal.loops',
      says: 'feed is paused by an operator since 2026-11-21T11:00:00.000Z: an hour back',
      mend: 'isthmus resume feed',
    });
    expect(alarmed).toMatchObject({ outcome: 'wrong', mend: expect.stringMatching(/isthmus resume stub:gpu$/) });
  });

  it.each([
    [['feed-tail/contoso'], [], /^feed-tail\/contoso runs and is for nothing in the file$/],
    [[], ['feed-tail/contoso'], /^feed-tail\/contoso of the file does not run$/],
    [['a/contoso', 'b/contoso'], ['c/contoso', 'd/contoso'], /^c.*, d.* of the file do not run; a.*, b.* run and are /],
  ])('names loops that run for nothing (%j), and those that do not run (%j)', (unnamed, missing, says) => {
    const [found] = notGood(judgeTemporal({ ...SOUND, sources: { unnamed, missing } }, NOW));
    expect(found?.says).toMatch(says);
  });

  it.each<[string, Partial<TemporalFacts>, readonly string[]]>([
    ['no worker has been there', { owner: undefined, sources: undefined }, ['federation', 'sources']],
    ['the index cannot be read', { mine: { federation: 'lake', index: undefined } }, ['federation']],
    ['an older worker made them', { owner: { federation: 'lake', index: undefined } }, ['federation']],
    ['no loop could be asked', { loops: undefined, sources: undefined }, ['sources', 'loops']],
  ])('does not know whose workflows or loops they are where %s', (_, changed, checks) => {
    const found = notGood(judgeTemporal({ ...SOUND, ...changed }, NOW));
    expect(found.map(({ outcome, check }) => `${outcome} ${check}`)).toEqual(
      checks.map((check) => `unknown temporal.${check}`),
    );
  });

  it('has a line for each check, also where it is good', () => {
    const checks = judgeTemporal(SOUND, NOW).map(({ check }) => check.replace('temporal.', ''));
    expect(checks).toEqual(['version', 'namespace', 'attributes', 'federation', 'worker', 'sources', 'loops']);
  });

  it('does not know of loops of which none answers', () => {
    const silent = judgeTemporal({ ...SOUND, loops: [loop('feed', 'unknown')] }, NOW);
    expect(notGood(silent)).toMatchObject([{ outcome: 'unknown', check: 'temporal.loops' }]);
  });
});
