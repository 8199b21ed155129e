import { describe, expect, it } from 'vitest';
import { duration, momentOrAgo } from '../../cli/duration.ts';

describe('a time span on the command line', () => {
  it.each([
    ['30s', 30],
    ['90min', 5_400],
    ['1h', 3_600],
    ['1.5 h', 5_400],
    ['2d', 172_800],
  ])('%s is %i seconds', (text, seconds) => {
    expect(duration(text)).toBe(seconds);
  });

  it.each(['', '1', 'h', '0s', '-1h', '1w', '1h30min'])('%j is refused with an example', (text) => {
    expect(() => duration(text)).toThrow('such as 30s, 90min, 1h or 2d');
  });

  it('may stand for a moment: so long ago', () => {
    const now = Date.UTC(2026, 10, 21, 15);
    expect(momentOrAgo('1h', now)).toBe(Date.UTC(2026, 10, 21, 14));
    expect(momentOrAgo('2026-11-21T14:00Z', now)).toBe(Date.UTC(2026, 10, 21, 14));
    expect(() => momentOrAgo('5m', now)).toThrow(/^It is a time .*, or so long ago: 30s, 90min, 1h, 2d\.$/);
  });

  it('is no moment further back than time is counted, and no span without end', () => {
    expect(() => momentOrAgo('9999999999d', 0)).toThrow('It goes back further than time is counted.');
    expect(() => duration(`${'9'.repeat(400)}d`)).toThrow('such as 30s, 90min, 1h or 2d');
  });

  it('is no moment on a day that its month does not have', () => {
    for (const text of ['2020-02-30', '2021-02-29', '2020-04-31T10:00Z', '2020-02-30 10:00:00+02:00', '2020-13-01']) {
      expect(() => momentOrAgo(text, 0), text).toThrow('It is a time');
    }
    expect(momentOrAgo('2020-02-29', 0)).toBe(Date.UTC(2020, 1, 29));
    expect(momentOrAgo('2020-02-29T23:30-05:00', 0)).toBe(Date.UTC(2020, 2, 1, 4, 30));
  });
});
