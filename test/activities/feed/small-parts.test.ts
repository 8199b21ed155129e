import { describe, expect, it } from 'vitest';
import { inLanes } from '../../../activities/feed/lanes.ts';
import { Pace } from '../../../activities/feed/pace.ts';
import { SilentFeed } from '../../../activities/feed/silent-feed.ts';

const MINUTE = 60_000;
const never = new AbortController().signal;

describe('lanes', () => {
  it('work on a few items at a time, and on all of them', async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    await inLanes(
      [1, 2, 3, 4, 5, 6, 7],
      3,
      never,
      async (item) => {
        most = Math.max(most, ++now);
        await new Promise((passed) => setTimeout(passed, 2));
        now--;
        done.push(item);
      },
      () => 'stop',
    );
    expect(most).toBe(3);
    expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('stop where one fails, and throw its error and not what it made the others throw', async () => {
    const begun: number[] = [];
    const working = inLanes(
      [1, 2, 3, 4, 5],
      2,
      never,
      async (item, signal) => {
        begun.push(item);
        if (item === 2) throw new Error('the cause');
        await new Promise((_, failed) => signal.addEventListener('abort', () => failed(new Error('stopped'))));
      },
      () => 'stop',
    );
    await expect(working).rejects.toThrow('the cause');
    expect(begun).toEqual([1, 2]);
  });

  it('go on where a failure can wait, and throw it at the end', async () => {
    const done: number[] = [];
    const working = inLanes(
      [1, 2, 3, 4],
      1,
      never,
      async (item) => {
        if (item === 2) throw new Error('damaged');
        done.push(item);
      },
      () => 'last',
    );
    await expect(working).rejects.toThrow('damaged');
    expect(done).toEqual([1, 3, 4]);
  });
});

describe('the pace', () => {
  it('is at once after news, then slower and slower up to what the federation says', () => {
    const pace = new Pace(1_000);
    expect(
      [true, false, false, true, false, false, false, false, false, false].map((news) => pace.after(news)),
    ).toEqual([0, 100, 200, 0, 100, 200, 400, 800, 1_000, 1_000]);
    expect(new Pace(50).after(false)).toBe(50);
  });
});

describe('a feed that stands still', () => {
  it('is silent only where triggers told of changes that it would have by now', () => {
    const feed = new SilentFeed();
    expect(feed.observe(undefined, 5 * MINUTE, 99 * MINUTE)).toBeUndefined();
    expect(feed.observe(0, undefined, 99 * MINUTE)).toBeUndefined();
    expect(feed.observe(0, 0, 99 * MINUTE)).toBeUndefined();
    // After a quiet hour and more: one trigger, of now.
    expect(feed.observe(0, 100 * MINUTE, 100 * MINUTE)).toBeUndefined();
    expect(feed.observe(0, 114 * MINUTE, 114 * MINUTE)).toBeUndefined();
    expect(feed.observe(0, 114 * MINUTE, 116 * MINUTE)).toBe(100 * MINUTE);
    expect(feed.observe(100 * MINUTE, 117 * MINUTE, 117 * MINUTE)).toBeUndefined();
  });
});
