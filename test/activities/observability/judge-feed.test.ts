import { describe, expect, it } from 'vitest';
import { pollLimitMs } from '../../../activities/observability/feed-alarms.ts';
import { type FeedSight, judgeFeed } from '../../../activities/observability/judge-feed.ts';
import type { FeedStanding } from '../../../schema/index/feed-standing.ts';
import type { SourceRow } from '../../../schema/index/sources.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const LIMITS = { pollMs: 1_000, lagMs: 600_000 };
const ALL_READ = { kind: 'seen', opened: NOW - 3_600_000, unread: undefined } as const;

/** A chunk that holds something which was not taken, last written to so long ago. */
const unread = (ago: number | undefined) =>
  ({
    ...ALL_READ,
    unread: { bytes: 512, chunk: 'log/00/a.avro', since: ago === undefined ? undefined : NOW - ago },
  }) as const;

interface Given extends Partial<Omit<FeedSight, 'row' | 'standing'>> {
  /** How long ago the loop's last poll was answered. */
  readonly polled?: number;
  readonly caughtUp?: boolean;
  readonly why?: string;
  /** How long ago the cursor moved. */
  readonly moved?: number;
  readonly row?: Partial<SourceRow>;
  readonly standing?: Partial<FeedStanding>;
}

function judge({ polled = 1_000, caughtUp = true, why, moved = 3_000_000, row, standing, ...sight }: Given) {
  const said = { caughtUp, polledAt: NOW - polled, ...(why === undefined ? {} : { why }) };
  const at = NOW - 3_000_000;
  return judgeFeed({
    now: NOW,
    limits: LIMITS,
    view: ALL_READ,
    row: {
      ...{ accountId: 1, source: 'feed', state: 'tailing', head: at, applied: at, updatedAt: NOW - polled },
      ...{ detail: said, ...row },
    },
    standing: {
      ...{ segment: 'idx/segments/2026/11/21/1100/meta.json', shards: {}, movedAt: NOW - moved, openGaps: [] },
      ...{ openGapCount: 0, skips: 0, distrustedAt: undefined, wantedSince: NOW - 9_000_000, ...standing },
    },
    ...sight,
  });
}

const kinds = (given: Given) => judge(given).alarms.map(({ kind }) => kind);

describe('9: the rule of silence for the feed', () => {
  it('9: a feed that is read to its end is neither behind nor late, however quiet it has been', () => {
    expect(judge({})).toMatchObject({ news: undefined, behind: undefined, lagMs: 0, silentSince: undefined });
    expect(kinds({})).toEqual([]);
  });

  it('9: is silent once a chunk has held for 45 s what nobody took, though its loop says that it polls', () => {
    expect(kinds({ view: unread(44_000) })).toEqual([]);
    expect(kinds({ view: unread(46_000) })).toEqual(['silent']);
    expect(judge({ view: unread(46_000) })).toMatchObject({ silentSince: NOW - 46_000, lagMs: 46_000 });
  });

  it('9: is not silent while anything is taken, however long the news has waited', () => {
    const view = unread(7_200_000);
    expect(kinds({ view, moved: 44_000, limits: { ...LIMITS, lagMs: 1e9 } })).toEqual([]);
    expect(kinds({ view, moved: 46_000, limits: { ...LIMITS, lagMs: 1e9 } })).toEqual(['silent']);
  });

  it('9: counts silence from when it was first watched where the chunk is written to all the time', () => {
    expect(kinds({ view: unread(0), moved: 70_000 })).toEqual([]);
    expect(kinds({ view: unread(0), moved: 70_000, watchedSince: NOW - 46_000 })).toEqual(['silent']);
  });

  it('9: a segment that was opened and not read is news, by the feed itself', () => {
    const view = { ...ALL_READ, opened: NOW - 1_000 };
    expect(judge({ view }).news).toContain('segment');
    expect(kinds({ view, watchedSince: NOW - 46_000 })).toEqual(['silent']);
  });

  it('9: the poll has stopped where neither it nor the cursor gave a sign for 45 s, by what Postgres holds alone', () => {
    const blind = { kind: 'unseen', why: 'unreachable', message: 'the account did not answer within 4 s' } as const;
    expect(kinds({ polled: 44_000 })).toEqual([]);
    expect(kinds({ polled: 46_000 })).toEqual(['poll-stopped']);
    expect(kinds({ polled: 46_000, view: blind })).toEqual(['poll-stopped']);
    expect(kinds({ polled: 46_000, moved: 2_000 })).toEqual([]);
  });

  it('9: a rewind is no sign of life, and gives whoever was alive at that moment his time', () => {
    const rewound = (ago: number) => ({ moved: ago, standing: { rewoundAt: NOW - ago } });
    const view = unread(7_200_000);
    const limits = { ...LIMITS, lagMs: 1e9 };
    expect(kinds({ view, limits, ...rewound(1_000), polled: 60_000 })).toEqual(['poll-stopped']);
    expect(judge({ view, limits, ...rewound(1_000), polled: 60_000 }).silentSince).toBe(NOW - 60_000);
    expect(kinds({ view, limits, ...rewound(44_000), polled: 45_000 })).toEqual([]);
    expect(kinds({ view, limits, ...rewound(46_000), polled: 47_000 })).toEqual(['poll-stopped']);
    expect(kinds({ view, limits, ...rewound(46_000), polled: 1_000 })).toEqual(['silent']);
    // Polls that are a minute apart: the rewind is younger than the pause between them.
    const slow = { ...limits, pollMs: 60_000 };
    expect(kinds({ view, limits: slow, ...rewound(1_000), polled: 59_000 })).toEqual([]);
  });

  it('9: says of a loop that is paused that it is, and why where that is known', () => {
    const message = (given: Given) =>
      judge(given)
        .alarms.map((alarm) => alarm.message)
        .join();
    const pause = { reason: 'storage moves' };
    expect(message({ polled: 46_000 })).toMatch(/: is a worker running, and its loop not paused\?$/);
    expect(message({ polled: 46_000, pause })).toMatch(
      /^the feed was last polled at \S+: its loop is paused \(storage moves\), and goes on with `isthmus resume feed`$/,
    );
    expect(message({ view: unread(46_000), pause: {} })).toMatch(
      /nothing of it was taken since \S+: its loop is paused, and goes on with `isthmus resume feed`$/,
    );
  });

  it('9: a feed that was wanted and never polled counts from when it was wanted', () => {
    const standing = { movedAt: undefined, segment: undefined };
    const row = { state: 'unheard', detail: undefined };
    expect(kinds({ row, standing: { ...standing, wantedSince: NOW - 46_000 } })).toEqual(['poll-stopped']);
    expect(kinds({ row, standing: { ...standing, wantedSince: NOW - 44_000 } })).toEqual([]);
  });

  it('9: a poll may be as old as its own pause, and a bit', () => {
    expect(pollLimitMs({ pollMs: 1_000 })).toBe(45_000);
    expect(pollLimitMs({ pollMs: 30_000 })).toBe(50_000);
    expect(pollLimitMs({ pollMs: 60_000 })).toBe(80_000);
  });

  it('9: is late once what waits is older than the limit, and not because a quiet feed was quiet', () => {
    const late = { applied: NOW - 601_000, head: NOW };
    expect(kinds({ row: late, caughtUp: false, moved: 1_000 })).toEqual(['lag']);
    expect(kinds({ row: { ...late, applied: NOW - 599_000 }, caughtUp: false, moved: 1_000 })).toEqual([]);
    // Caught up a second ago by its own word; what came since is a second old.
    expect(judge({ view: unread(0) })).toMatchObject({ lagMs: 1_000, alarms: [] });
  });

  it.each(['forbidden', 'not-enabled', 'hierarchical', 'missing', 'disabled'])(
    '9: says at once that there is no feed, and why: %s',
    (why) => {
      const row = { state: 'no-feed', reason: 'Storage Blob Data Reader on the account is needed' };
      const { alarms, unreadable, behind } = judge({ row: row, why, polled: 5_000 });
      expect(alarms.map(({ kind }) => kind)).toEqual(['unreadable']);
      expect(alarms[0]?.message).toContain(`(${why}): Storage Blob Data Reader`);
      expect({ unreadable, behind }).toEqual({ unreadable: why, behind: undefined });
    },
  );

  it('9: a loop that found no feed and then stopped looking is missed too', () => {
    const row = { state: 'no-feed', reason: 'gone', updatedAt: NOW - 121_000 };
    expect(kinds({ row, polled: 300_000, why: 'missing' })).toEqual(['unreadable', 'poll-stopped']);
  });

  it('9: is unreadable where only whoever asks is refused, but not while the loop polls', () => {
    const view = { kind: 'unseen', why: 'forbidden', message: '403' } as const;
    expect(kinds({ view })).toEqual([]);
    expect(kinds({ view, polled: 10_000 })).toEqual(['unreadable']);
  });

  it('9: a loop that cannot go on by itself says why, once', () => {
    const row = { state: 'stopped', reason: 'log/00/a.avro at byte 4711: bad block' };
    const { alarms } = judge({ row, polled: 300_000, view: unread(300_000) });
    expect(alarms.map(({ kind }) => kind)).toEqual(['stopped']);
    expect(alarms[0]?.message).toContain('byte 4711');
  });

  it('9: a gap is an alarm until a reconcile has healed it', () => {
    const gap = { id: 1, missing: 'log/00/b.avro', notedAt: NOW - 5_000, requestedAt: NOW - 4_000 };
    const { alarms } = judge({ standing: { openGaps: [gap], openGapCount: 2 } });
    expect(alarms).toMatchObject([{ source: 'feed', kind: 'gap', since: NOW - 5_000 }]);
    expect(alarms[0]?.message).toMatch(/log\/00\/b\.avro on \(one of 2\); a reconcile was asked for/);
  });

  it('9: distrusted triggers are an alarm of the triggers', () => {
    const { alarms } = judge({ standing: { distrustedAt: NOW - 9_000 } });
    expect(alarms).toMatchObject([{ source: 'trigger', kind: 'distrusted', since: NOW - 9_000 }]);
  });
});
