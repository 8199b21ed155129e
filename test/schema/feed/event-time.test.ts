import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventTime } from '../../../schema/feed/event-time.ts';

describe('an eventTime', () => {
  it('1: is what Date.parse says, in any order of times', () => {
    const max = Date.UTC(9_999, 0, 1);
    const times = fc.array(fc.tuple(fc.integer({ min: 0, max }), fc.integer({ min: 0, max: 9_999 })), { minLength: 1 });
    fc.assert(
      fc.property(times, (drawn) => {
        for (const [ms, rest] of drawn) {
          const text = new Date(ms).toISOString().replace('Z', `${String(rest).padStart(4, '0')}Z`);
          expect(parseEventTime(text)).toBe(ms);
        }
      }),
    );
  });

  it.each([
    '2026-11-21T15:16:17.1234567Z',
    '2026-11-21T15:16:60.1234567Z',
    '2026-11-21T15:16:1x.1234567Z',
    '2026-11-21T15:16:17.x234567Z',
    '2026-11-21T15:16:17,1234567Z',
    '2026-13-21T15:16:17.1234567Z',
    '2026-11-21T25:16:17.1234567Z',
    '2026-11-21T15:16:17Z',
    '2026-11-21T15:16:17.123+02:00',
    'xxxxxxxxxxxxxxxxxxx.xxxxxxxZ',
    '',
  ])('is read as Date.parse reads %j', (text) => {
    parseEventTime('2026-11-21T15:16:00.0000000Z');
    expect(parseEventTime(text)).toEqual(Date.parse(text));
  });
});
