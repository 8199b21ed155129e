import { describe, expect, it } from 'vitest';
import { Settling } from '../../../cli/status/settling.ts';

describe('settling', () => {
  it('believes in quiet only after it has lasted', () => {
    const settling = new Settling(3_000);
    expect(settling.observe(false, 10_000)).toBe(false);
    expect(settling.observe(false, 12_999)).toBe(false);
    expect(settling.observe(false, 13_000)).toBe(true);
  });

  it('starts anew with any movement', () => {
    const settling = new Settling(3_000);
    settling.observe(false, 0);
    expect(settling.observe(true, 2_900)).toBe(false);
    expect(settling.observe(false, 3_100)).toBe(false);
    expect(settling.observe(false, 6_100)).toBe(true);
  });
});
