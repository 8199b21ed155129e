import { describe, expect, it } from 'vitest';
import { judgeMemory, residentMiB } from './memory-watch.ts';

const samples = (count: number, at: (share: number) => number) =>
  Array.from({ length: count }, (_, each) => at(each / count));

describe('the watch over memory', () => {
  it('8: tells a process that grows from one that breathes', () => {
    expect(judgeMemory(samples(200, () => 300)).flat).toBe(true);
    expect(judgeMemory(samples(200, (share) => 300 + 60 * Math.sin(share * 60))).flat).toBe(true);
    expect(judgeMemory(samples(200, (share) => 300 + 120 * share))).toMatchObject({ flat: false, peakMiB: 419 });
    // Caches that fill at the start are no growth.
    expect(judgeMemory(samples(200, (share) => (share < 0.05 ? 100 : 300))).flat).toBe(true);
  });

  it('8: does not judge a run that is too short to tell', () => {
    expect(judgeMemory(samples(10, (share) => 300 * share)).flat).toBe(undefined);
  });

  it('reads what a process has in memory, and nothing of one that is gone', () => {
    expect(residentMiB(process.pid)).toBeGreaterThan(20);
    expect(residentMiB(undefined)).toBe(undefined);
    expect(residentMiB(2 ** 30)).toBe(undefined);
  });
});
