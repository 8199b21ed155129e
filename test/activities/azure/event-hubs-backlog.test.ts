import { describe, expect, it } from 'vitest';
import { type HeadMark, oldestUnread } from '../../../activities/azure/event-hubs-backlog.ts';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

const head = (last: number, lastAt: number, more: { isEmpty?: boolean } = {}) => ({
  ...{ partition: '0', begin: 0, last, lastAt, isEmpty: last < 0 },
  ...more,
});
const place = (sequence: number, enqueuedAt: number) => ({ offset: '1', sequence, enqueuedAt });
const oldest = (at: ReturnType<typeof head>, ...[kept, mark]: [ReturnType<typeof place>?, HeadMark?]) =>
  oldestUnread(at, kept, mark, NOW).oldest;

describe('9: the oldest event of a hub that is not applied', () => {
  it('is none where all is applied, where there never was one, and where retention removed the rest', () => {
    expect(oldest(head(7, NOW), place(7, NOW))).toBeUndefined();
    expect(oldest(head(-1, 0))).toBeUndefined();
    expect(oldest(head(7, NOW, { isEmpty: true }), place(3, 0))).toBeUndefined();
  });

  it('is the newest where that is the only one, after however quiet a day', () => {
    expect(oldest(head(8, NOW - 5), place(7, 0))).toBe(NOW - 5);
    expect(oldest(head(0, NOW - 5))).toBe(NOW - 5);
  });

  it('is old where events go on coming and nothing is taken, also at the first glance', () => {
    expect(oldest(head(107, NOW), place(7, NOW - 10 * MINUTE))).toBe(NOW - 10 * MINUTE + 6_000);
  });

  it('is no older than the glance at which all was applied', () => {
    const mark = { last: 7, lastAt: 0, seenAt: NOW - 5_000 };
    expect(oldest(head(17, NOW - 100), place(7, 0), mark)).toBe(NOW - 5_000);
  });

  it('is no younger than what an earlier glance has seen, of a partition that was never read', () => {
    let { oldest: found, mark } = oldestUnread(head(3, NOW), undefined, undefined, NOW);
    expect(found).toBe(NOW);
    for (let at = 1; at <= 20; at++) {
      const later = NOW + at * MINUTE;
      ({ oldest: found, mark } = oldestUnread(head(3 + at, later), undefined, mark, later));
    }
    expect(found).toBe(NOW);
  });
});
