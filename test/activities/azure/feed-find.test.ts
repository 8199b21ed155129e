import { describe, expect, it } from 'vitest';
import { findSegment, oldestSegment } from '../../../activities/azure/feed-find.ts';
import { SEGMENTS_FILE } from '../../../schema/feed/segments.ts';
import { idleClock } from '../../support/idle-clock.ts';
import { MemoryFeed } from './memory-feed.ts';

const START = Date.UTC(2026, 0, 1);

describe('the segment to read from', () => {
  it('is found though the list of segments is seen half while it is rewritten', async () => {
    const feed = new MemoryFeed();
    feed.segment(0, 'Finalized');
    feed.segment(60, 'Publishing');
    const whole = feed.files.get(SEGMENTS_FILE) ?? Buffer.alloc(0);
    const { signal } = new AbortController();
    const slept: number[] = [];
    const searched = { feed, clock: idleClock((ms) => void slept.push(ms)) };
    const half = () => {
      let asks = 0;
      feed.onAsk = (asked) => {
        if (asked === `text ${SEGMENTS_FILE}`) feed.files.set(SEGMENTS_FILE, asks++ < 2 ? whole.subarray(0, 9) : whole);
      };
    };
    half();
    expect(await findSegment(searched, START + 90 * 60_000, signal)).toBe(feed.manifest(60));
    half();
    expect(await oldestSegment(searched, signal)).toBe(feed.manifest(0));
    expect(slept).toEqual([200, 200, 200, 200]);
  });
});
