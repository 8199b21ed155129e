import type { Timestamp } from '../../namespace/entry.ts';
import { latest } from '../../namespace/latest.ts';
import type { FeedStanding } from '../../schema/index/feed-standing.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import type { Alarm } from './alarm.ts';
import { type FeedLimits, feedAlarms, pollLimitMs } from './feed-alarms.ts';
import type { FeedView } from './feed-eye.ts';
import { readFeedReport } from './feed-report.ts';
import type { LoopPause } from './loop-pause.ts';

/** Everything that is known of the feed at one moment. */
export interface FeedSight {
  readonly now: Timestamp;
  /** What the loop last said of itself. */
  readonly row: SourceRow | undefined;
  readonly standing: FeedStanding;
  /** What the feed itself shows. */
  readonly view: FeedView;
  /** Since when whoever asks has seen news and no progress; undefined where it looks for the first time. */
  readonly watchedSince?: Timestamp | undefined;
  readonly limits: FeedLimits;
  /** Undefined where the loop is not known to be paused. */
  readonly pause?: LoopPause | undefined;
}

/** What follows of it. */
export interface FeedJudgement {
  /** There is news that was not taken; in words. */
  readonly news: string | undefined;
  /** There is news, or nobody looks whether there is; in words. */
  readonly behind: string | undefined;
  readonly head: Timestamp | undefined;
  readonly applied: Timestamp | undefined;
  /** How old the oldest of the news is, as far as is known; 0 where there is none. */
  readonly lagMs: number | undefined;
  /** Since when there is news and nothing was taken; undefined where all was. */
  readonly silentSince: Timestamp | undefined;
  /** When the feed last answered the loop's poll. */
  readonly polledAt: Timestamp | undefined;
  /** Since when nothing of the feed is known to have been taken; undefined where nothing ever was. */
  readonly takenAt: Timestamp | undefined;
  /** The last sign of life: the later of the two. */
  readonly sign: Timestamp | undefined;
  /** Why the feed cannot be read; undefined where it can. */
  readonly unreadable: string | undefined;
  readonly alarms: readonly Alarm[];
}

/** A loop that has not said anything for this long, and two of its polls, is not reading. */
const UNHEARD_MS = 2_000;

/**
 * The rule of silence for the feed (invariant 9), in one place: `status`, the log and the metrics all say what this
 * says. It trusts no loop's word alone: what the cursor did and what the feed holds are in it, so it holds as well
 * where the worker is dead.
 *
 * A loop that is paused by hand is no exception: what is paused and forgotten has stopped in silence too.
 */
export function judgeFeed(sight: FeedSight): FeedJudgement {
  const { now, row, standing, view, limits } = sight;
  const report = readFeedReport(row);
  const { polledAt } = report;
  const noFeed = row?.state === 'no-feed';
  const refused = view.kind === 'unseen' ? view : undefined;
  const unreadable = noFeed
    ? (report.why ?? 'unknown')
    : refused === undefined || refused.why === 'unreachable'
      ? undefined
      : refused.why;

  const news = newsOf(sight, report.caughtUp);
  const takenAt = takenOf(sight, polledAt);
  const sign = latest(polledAt, takenAt);
  const unheard = sign === undefined || now - sign > UNHEARD_MS + 2 * limits.pollMs;
  const silentSince = noFeed || news === undefined ? undefined : silenceOf(sight, takenAt);
  const lagMs = news === undefined ? row && 0 : lagOf(sight, report.caughtUp === true ? polledAt : undefined);
  const facts = { now, limits, row, standing, sign, unheard, news, silentSince, lagMs, unreadable, pause: sight.pause };
  return {
    news,
    behind: noFeed ? undefined : (news ?? (unheard ? 'the feed is not being read' : undefined)),
    head: latest(row?.head, view.kind === 'seen' ? view.opened : undefined),
    applied: row?.applied,
    ...{ lagMs, silentSince, polledAt, takenAt, sign, unreadable },
    alarms: feedAlarms({ ...facts, refused: refused?.message }),
  };
}

/** News that was not taken, by the feed itself where it can be seen, else by the loop's last word. */
function newsOf({ row, view }: FeedSight, caughtUp: boolean | undefined): string | undefined {
  if (view.kind === 'seen' && view.unread !== undefined) {
    return `${view.unread.bytes} bytes of ${view.unread.chunk} are not applied`;
  }
  if (view.kind === 'seen' && view.opened !== undefined && view.opened > (row?.head ?? 0)) {
    return 'a segment was opened that was not read';
  }
  return caughtUp === false ? 'records of the feed are not applied' : undefined;
}

/**
 * A rewind moves the cursor and takes nothing, so that it must not end an alarm. A loop that was alive then is given its
 * time from the rewind on; for any other the count goes on from its last poll.
 */
function takenOf({ standing, limits }: FeedSight, polledAt: Timestamp | undefined): Timestamp | undefined {
  const { movedAt, rewoundAt } = standing;
  if (rewoundAt === undefined || polledAt === undefined) return movedAt;
  return rewoundAt - polledAt > pollLimitMs(limits) ? polledAt : movedAt;
}

/** Both at once: the news is at least as old as this, and nothing was taken since. */
function silenceOf({ view, watchedSince }: FeedSight, takenAt: Timestamp | undefined): Timestamp | undefined {
  const since = earliest(unreadSince(view), watchedSince);
  return since === undefined ? undefined : Math.max(since, takenAt ?? since);
}

/** Counts from what is applied, or from when the loop was last at the feed's end: a feed that was quiet is not late. */
function lagOf({ now, row, view }: FeedSight, caughtUpAt: Timestamp | undefined): number | undefined {
  const oldest = earliest(latest(row?.applied, caughtUpAt), unreadSince(view));
  return oldest === undefined ? undefined : Math.max(0, now - oldest);
}

function unreadSince(view: FeedView): Timestamp | undefined {
  return view.kind === 'seen' ? view.unread?.since : undefined;
}

function earliest(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
