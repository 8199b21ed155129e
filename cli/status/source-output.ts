import type { Alarm } from '../../activities/observability/alarm.ts';
import type { SourceHead } from '../../activities/observability/source-heads.ts';
import type { FeedHead, Glance, SendersHead } from '../../activities/observability/source-watch.ts';
import { medianLateness } from '../../schema/index/lateness.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';

type Source = StatusOutput['sources'][number];

export function sourceOutputs({ sources, feed, senders }: Glance): Source[] {
  return sources.map((head) => ({
    ...sourceOutput(head, head.source === 'feed' ? feed : undefined),
    triggers: senders === undefined ? null : triggersOutput(head, senders),
  }));
}

export function alarmOutput({ source, kind, message, since }: Alarm): StatusOutput['alarms'][number] {
  return { about: source, kind, message, since: timeOrNull(since) };
}

function sourceOutput(head: SourceHead, feed: FeedHead | undefined): Omit<Source, 'triggers'> {
  const { source, state, reason, applied, lagMs, behind } = head;
  return {
    source,
    state,
    reason: reason ?? null,
    head: timeOrNull(head.head),
    applied: timeOrNull(applied),
    lagSeconds: lagMs === undefined ? null : lagMs / 1000,
    behind: behind ?? null,
    deadLetters: null,
    hubLosses: [],
    feed: feed === undefined ? null : feedOutput(feed),
  };
}

function feedOutput({ judgement, standing, report }: FeedHead): NonNullable<Source['feed']> {
  const { segment, openGaps, openGapCount, skips } = standing;
  return {
    segment: segment ?? null,
    // As of now: what came after its last poll is not applied.
    caughtUp: judgement.news === undefined ? (report.caughtUp ?? null) : false,
    polledAt: timeOrNull(judgement.polledAt),
    recordsPerSecond: report.recordsPerSecond ?? null,
    why: judgement.unreadable ?? null,
    gaps: openGaps.map(({ missing, notedAt, requestedAt }) => ({
      missing,
      notedAt: formatTime(notedAt),
      requestedAt: timeOrNull(requestedAt),
    })),
    openGaps: openGapCount,
    skippedBlocks: skips,
  };
}

function triggersOutput({ source }: SourceHead, senders: SendersHead): Source['triggers'] {
  const sender = senders.bySource[source];
  if (sender === undefined) return null;
  const { watch, minutes } = sender;
  const { received, late, byTrigger, byFeed, lateness } = minutes.lastHour;
  const { writtenAt, waitingSince, error } = watch?.canary ?? {};
  return {
    listeningSince: timeOrNull(watch?.since),
    receivedAt: timeOrNull(watch?.receivedAt),
    lateLimitSeconds: senders.limitMs / 1000,
    lastHour: {
      received,
      late,
      medianLatenessSeconds: medianLateness(lateness) ?? null,
      firstByTrigger: byTrigger,
      firstByFeed: byFeed,
      wonByTrigger: byTrigger + byFeed === 0 ? null : byTrigger / (byTrigger + byFeed),
    },
    canary:
      senders.canary === undefined
        ? null
        : {
            name: senders.canary,
            writtenAt: timeOrNull(writtenAt),
            waitingSince: timeOrNull(waitingSince),
            error: error ?? null,
          },
  };
}

function timeOrNull(time: number | undefined): string | null {
  return time === undefined ? null : formatTime(time);
}
