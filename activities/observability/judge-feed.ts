import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedStanding } from '../../schema/index/feed-standing.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import type { Alarm, AlarmKind } from './alarm.ts';
import type { FeedView } from './feed-eye.ts';
import { readFeedReport } from './feed-report.ts';
import { SILENCE_MS } from './silence.ts';

/** What a federation says of its feed that the rule of silence needs. */
export interface FeedLimits {
  readonly pollMs: number;
  readonly lagMs: number;
}

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
}

/** What follows of it. */
export interface FeedJudgement {
  /** There is news that was not taken; in words. */
  readonly news: string | undefined;
  /** There is news, or nobody looks whether there is; in words. */
  readonly behind: string | undefined;
  readonly head: Timestamp | undefined;
  readonly applied: Timestamp | undefined;
  readonly lagMs: number | undefined;
  /** Since when there is news and nothing was taken; undefined where all was. */
  readonly silentSince: Timestamp | undefined;
  /** When the feed last answered the loop's poll. */
  readonly polledAt: Timestamp | undefined;
  /** Why the feed cannot be read; undefined where it can. */
  readonly unreadable: string | undefined;
  readonly alarms: readonly Alarm[];
}

/** A loop that has not said anything for this long, and two of its polls, is not reading. */
const UNHEARD_MS = 2_000;
/** A poll may take a while by itself, and is told once a second. */
const POLL_TAKES_MS = 20_000;
/** How long a loop that found no feed may rest before it looks again, and then some. */
const NO_FEED_REST_MS = 120_000;

/** How long after its last sign of life a loop with these polls is taken to have stopped. */
export function pollLimitMs({ pollMs }: Pick<FeedLimits, 'pollMs'>): number {
  return Math.max(SILENCE_MS, pollMs + POLL_TAKES_MS);
}

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
  const applied = row?.applied;
  const unread = view.kind === 'seen' ? view.unread : undefined;
  const opened = view.kind === 'seen' ? view.opened : undefined;
  const sign = latest(report.polledAt, standing.movedAt);
  const noFeed = row?.state === 'no-feed';

  const news = newsOf(sight, report.caughtUp);
  const unheard = sign === undefined || now - sign > UNHEARD_MS + 2 * limits.pollMs;
  const behind = noFeed ? undefined : (news ?? (unheard ? 'the feed is not being read' : undefined));

  // By both: the news is as old as this, and nothing was taken since then.
  const newsSince = earliest(unread?.since, sight.watchedSince);
  const silentSince =
    news === undefined || noFeed || newsSince === undefined
      ? undefined
      : Math.max(newsSince, standing.movedAt ?? newsSince);

  const through = latest(applied, report.caughtUp === true ? report.polledAt : undefined);
  const oldest = earliest(through, unread?.since);
  const lagMs = news === undefined ? (row === undefined ? undefined : 0) : oldest && Math.max(0, now - oldest);

  const alarms: Alarm[] = [];
  const raise = (kind: AlarmKind, since: Timestamp | undefined, message: string): void => {
    alarms.push({ source: kind === 'distrusted' ? 'trigger' : 'feed', kind, since, message });
  };

  const refused = view.kind === 'unseen' ? view : undefined;
  const refusedToUs = refused !== undefined && refused.why !== 'unreachable';
  const unreadable = noFeed ? (report.why ?? 'unknown') : refusedToUs ? refused.why : undefined;
  if (noFeed) {
    raise('unreadable', undefined, `there is no feed to read (${unreadable}): ${row.reason ?? 'no reason was given'}`);
  } else if (refusedToUs && unheard) {
    raise('unreadable', sign, `the feed cannot be read (${refused.why}): ${refused.message}`);
  }

  if (row?.state === 'stopped') {
    raise('stopped', row.updatedAt, `the feed is not read on: ${row.reason ?? 'no reason was given'}`);
  } else {
    // A loop that finds no feed rests before it looks again, and says so each time.
    const heard = noFeed ? latest(sign, row.updatedAt) : sign;
    const since = heard ?? standing.wantedSince;
    const limit = noFeed ? Math.max(NO_FEED_REST_MS, pollLimitMs(limits)) : pollLimitMs(limits);
    if (since !== undefined && now - since > limit) {
      const what = heard === undefined ? 'has never been polled' : `was last polled at ${timeOf(heard)}`;
      const seen = refused === undefined ? '' : `, and does not answer here either: ${refused.message}`;
      raise('poll-stopped', since, `the feed ${what}${seen}: is a worker running, and its loop not paused?`);
    } else if (silentSince !== undefined && now - silentSince > SILENCE_MS) {
      raise('silent', silentSince, `${news}, and nothing of it was taken since ${timeOf(silentSince)}`);
    }
    if (lagMs !== undefined && lagMs > limits.lagMs) {
      const [behindBy, limit] = [lagMs, limits.lagMs].map((ms) => Math.round(ms / 1000));
      raise('lag', oldest, `the index is ${behindBy} s behind the feed, more than the ${limit} s that it may be`);
    }
  }

  const [gap] = standing.openGaps;
  if (gap !== undefined) {
    const others = standing.openGapCount > 1 ? ` (one of ${standing.openGapCount})` : '';
    const healing =
      gap.requestedAt === undefined
        ? 'no reconcile was asked for yet'
        : `a reconcile was asked for at ${timeOf(gap.requestedAt)}`;
    raise('gap', gap.notedAt, `records are missing from ${gap.missing} on${others}; ${healing}`);
  }
  if (standing.distrustedAt !== undefined) {
    const message = 'triggers contradicted the feed and are not applied any more: the index is as late as the feed';
    raise('distrusted', standing.distrustedAt, message);
  }
  const head = latest(row?.head, opened);
  return { news, behind, head, applied, lagMs, silentSince, polledAt: report.polledAt, unreadable, alarms };
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

function latest(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

function earliest(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function timeOf(time: Timestamp): string {
  return new Date(time).toISOString();
}
