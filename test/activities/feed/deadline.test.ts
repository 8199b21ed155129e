import { describe, expect, it } from 'vitest';
import { Deadline } from '../../../activities/feed/deadline.ts';

describe('the end of a turn', () => {
  function deadline() {
    const clock = { at: 1_000, now: () => clock.at };
    return { clock, of: new Deadline(clock, 10) };
  }

  it('9: comes after its seconds, or when the clock is put back', () => {
    const { clock, of } = deadline();
    expect({ over: of.over, leftMs: of.leftMs }).toEqual({ over: false, leftMs: 10_000 });
    clock.at = 10_999;
    expect({ over: of.over, leftMs: of.leftMs }).toEqual({ over: false, leftMs: 1 });
    clock.at = 999;
    expect({ over: of.over, leftMs: of.leftMs }).toEqual({ over: true, leftMs: 0 });
  });

  it.each([11_000, 0])('9: has come for good once it has, as at %i, though the clock is set right then', (at) => {
    const { clock, of } = deadline();
    clock.at = at;
    expect(of.over).toBe(true);
    clock.at = 5_000;
    expect({ over: of.over, leftMs: of.leftMs }).toEqual({ over: true, leftMs: 0 });
  });
});
