import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedStanding } from '../../schema/index/feed-standing.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import type { Alarm } from './alarm.ts';
import { type LoopPause, pausedText } from './loop-pause.ts';
import { SILENCE_MS } from './silence.ts';

/** What a federation says of its feed that the rule of silence needs. */
export interface FeedLimits {
  readonly pollMs: number;
  readonly lagMs: number;
}

/** What is so of a feed, of which alarms may follow. */
export interface FeedFacts {
  readonly now: Timestamp;
  readonly limits: FeedLimits;
  readonly row: SourceRow | undefined;
  readonly standing: FeedStanding;
  /** The last sign of life: a poll that the feed answered, or a move of the cursor that was no operator's. */
  readonly sign: Timestamp | undefined;
  /** The last sign is older than the loop's own pauses explain. */
  readonly unheard: boolean;
  readonly news: string | undefined;
  readonly silentSince: Timestamp | undefined;
  readonly lagMs: number | undefined;
  /** Why the feed cannot be read; undefined where it can. */
  readonly unreadable: string | undefined;
  /** What the account said to whoever looked just now, where it did not let it look. */
  readonly refused: string | undefined;
  /** Undefined where the loop is not known to be paused. */
  readonly pause: LoopPause | undefined;
}

/** A poll may take a while by itself, and is told once a second. */
const POLL_TAKES_MS = 20_000;
/** How long a loop that found no feed may rest before it looks again, and then some. */
const NO_FEED_REST_MS = 120_000;

/** How long after its last sign of life a loop with these polls is taken to have stopped. */
export function pollLimitMs({ pollMs }: Pick<FeedLimits, 'pollMs'>): number {
  return Math.max(SILENCE_MS, pollMs + POLL_TAKES_MS);
}

/** Every alarm of a feed, the one that explains the others first. */
export function feedAlarms(facts: FeedFacts): readonly Alarm[] {
  const stopped = facts.row?.state === 'stopped';
  const found = [
    unreadable(facts),
    // A loop that has said that it stopped neither polls nor takes anything: that is said once.
    ...(stopped ? [stop(facts)] : [pollStopped(facts) ?? silent(facts), late(facts)]),
    gap(facts),
    distrusted(facts),
  ];
  return found.filter((alarm) => alarm !== undefined);
}

function unreadable({ row, sign, unheard, unreadable: why, refused }: FeedFacts): Alarm | undefined {
  if (why === undefined) return undefined;
  if (row?.state === 'no-feed') {
    const message = `there is no feed to read (${why}): ${row.reason ?? 'no reason was given'}`;
    return { source: 'feed', kind: 'unreadable', since: undefined, message };
  }
  // Whoever asks may have fewer rights than the loop: a loop that polls proves that the feed can be read.
  if (!unheard) return undefined;
  return { source: 'feed', kind: 'unreadable', since: sign, message: `the feed cannot be read (${why}): ${refused}` };
}

function stop({ row }: FeedFacts): Alarm {
  const message = `the feed is not read on: ${row?.reason ?? 'no reason was given'}`;
  return { source: 'feed', kind: 'stopped', since: row?.updatedAt, message };
}

function pollStopped({ now, limits, row, sign, standing, refused, pause }: FeedFacts): Alarm | undefined {
  // A loop that finds no feed rests before it looks again, and says so each time.
  const noFeed = row?.state === 'no-feed';
  const heard = noFeed ? Math.max(sign ?? 0, row.updatedAt) : sign;
  const since = heard ?? standing.wantedSince;
  const limit = noFeed ? Math.max(NO_FEED_REST_MS, pollLimitMs(limits)) : pollLimitMs(limits);
  if (since === undefined || now - since <= limit) return undefined;
  const what = heard === undefined ? 'has never been polled' : `was last polled at ${timeOf(heard)}`;
  const here = refused === undefined ? '' : `, and does not answer here either: ${refused}`;
  const why = pause === undefined ? 'is a worker running, and its loop not paused?' : pausedText('feed', pause);
  const message = `the feed ${what}${here}: ${why}`;
  return { source: 'feed', kind: 'poll-stopped', since, message };
}

function silent({ now, news, silentSince: since, pause }: FeedFacts): Alarm | undefined {
  if (since === undefined || now - since <= SILENCE_MS) return undefined;
  const why = pause === undefined ? '' : `: ${pausedText('feed', pause)}`;
  const message = `${news}, and nothing of it was taken since ${timeOf(since)}${why}`;
  return { source: 'feed', kind: 'silent', since, message };
}

function late({ now, lagMs, limits }: FeedFacts): Alarm | undefined {
  if (lagMs === undefined || lagMs <= limits.lagMs) return undefined;
  const [lag, limit] = [lagMs, limits.lagMs].map((ms) => Math.round(ms / 1000));
  const message = `the index is ${lag} s behind the feed, more than the ${limit} s that it may be`;
  return { source: 'feed', kind: 'lag', since: now - lagMs, message };
}

function gap({ standing: { openGaps, openGapCount } }: FeedFacts): Alarm | undefined {
  const [first] = openGaps;
  if (first === undefined) return undefined;
  const { missing, notedAt, requestedAt } = first;
  const others = openGapCount > 1 ? ` (one of ${openGapCount})` : '';
  const healing =
    requestedAt === undefined
      ? 'no reconcile was asked for yet'
      : `a reconcile was asked for at ${timeOf(requestedAt)}`;
  const message = `records are missing from ${missing} on${others}; ${healing}`;
  return { source: 'feed', kind: 'gap', since: notedAt, message };
}

function distrusted({ standing: { distrustedAt } }: FeedFacts): Alarm | undefined {
  if (distrustedAt === undefined) return undefined;
  const message = 'triggers contradicted the feed and are not applied any more: the index is as late as the feed';
  return { source: 'trigger', kind: 'distrusted', since: distrustedAt, message };
}

function timeOf(time: Timestamp): string {
  return new Date(time).toISOString();
}
