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
  other: undefined,
  unnamed: [],
  missing: [],
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
      { missing: ['event-hub-intake/contoso'], unnamed: ['trigger-intake/contoso'] },
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

  it('does not know of loops of which none answers', () => {
    const silent = judgeTemporal({ ...SOUND, loops: [loop('feed', 'unknown')] }, NOW);
    expect(notGood(silent)).toMatchObject([{ outcome: 'unknown', check: 'temporal.loops' }]);
  });
});
