import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookRate } from '../../activities/look-rate.ts';

describe('the rate of looks', () => {
  it('asks for no more than it may over any time, by a second at most, and never stands still', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.array(fc.record({ wants: fc.nat(500), idle: fc.nat(3_000) }), { maxLength: 50 }),
        (perSecond, turns) => {
          const rate = new LookRate(perSecond);
          let now = 1_000_000;
          const start = now;
          let asked = 0;
          for (const { wants, idle } of turns) {
            now += rate.pauseMs(now);
            expect(rate.pauseMs(now)).toBe(0);
            const count = Math.min(wants, perSecond);
            rate.spend(count, now);
            asked += count;
            expect(asked).toBeLessThanOrEqual(((now - start) / 1000 + 1) * perSecond);
            now += idle;
          }
        },
      ),
    );
  });
});
