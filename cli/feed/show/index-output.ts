import type { FeedShowOutput } from '../../../schema/outputs/feed-show.ts';
import { formatTime } from '../../format.ts';
import { alarmOutput } from '../../status/source-output.ts';
import type { IndexSide } from './ask-index.ts';

/** What is said of a feed that the federation does not name. */
export const NOT_NAMED = { state: 'not-named', reason: 'the federation names no change feed' } as const;

/** @param segmentGone the feed was listed, and what the cursor points to is not there. */
export function indexOutput(side: IndexSide, segmentGone: boolean): NonNullable<FeedShowOutput['index']> {
  const { cursor, standing, glance, gaps, skips, rewinds } = side;
  const source = glance.sources.find((each) => each.source === 'feed');
  const judgement = glance.feed?.judgement;
  return {
    segment: cursor?.segment ?? null,
    segmentGone: cursor !== undefined && segmentGone,
    ...(source === undefined ? NOT_NAMED : { state: source.state, reason: source.reason ?? null }),
    applied: timeOrNull(judgement?.applied),
    lagSeconds: judgement?.lagMs === undefined ? null : judgement.lagMs / 1000,
    behind: judgement?.behind ?? null,
    polledAt: timeOrNull(judgement?.polledAt),
    recordsPerSecond: glance.feed?.report.recordsPerSecond ?? null,
    openGaps: standing.openGapCount,
    gaps: gaps.map(({ missing, notedAt, requestedAt, healedAt, runId }) => ({
      missing,
      notedAt: formatTime(notedAt),
      requestedAt: timeOrNull(requestedAt),
      healedAt: timeOrNull(healedAt),
      reconcile: runId ?? null,
    })),
    skippedBlocks: standing.skips,
    skips: skips.map(({ chunk, from, to, reason, skippedAt }) => ({
      ...{ chunk, from, to, reason },
      skippedAt: formatTime(skippedAt),
    })),
    rewinds: rewinds.map(({ from, to, reason, rewoundAt }) => ({
      ...{ from: from ?? null, to, reason },
      rewoundAt: formatTime(rewoundAt),
    })),
    alarms: (judgement?.alarms ?? []).map(alarmOutput),
  };
}

function timeOrNull(time: number | undefined): string | null {
  return time === undefined ? null : formatTime(time);
}
