import { describe, expect, it } from 'vitest';
import { type ClockReading, judgeClocks } from '../../../cli/doctor/judge-clocks.ts';

/** A clock that is ahead of ours by so much, read over a way of 100 ms in all. */
const clock = (whose: string, ahead: number, coarseness = 0): ClockReading => ({
  whose,
  time: 1_000_050 + ahead,
  coarseness,
  sent: 1_000_000,
  received: 1_000_100,
});
const judge = (marginMs: number, ...readings: readonly ClockReading[]) => judgeClocks(readings, marginMs, 'lake');

describe('clocks', () => {
  it('that agree are good', () => {
    expect(judge(20_000, clock('storage', 900, 1_000), clock('Postgres', -800)).outcome).toBe('good');
  });

  it('are not blamed for the fraction of a second that an HTTP date leaves out, nor for the way of an answer', () => {
    expect(judge(1_000, clock('storage', -999, 1_000)).outcome).toBe('good');
    const slow: ClockReading = {
      whose: 'Postgres',
      time: 1_000_000,
      coarseness: 0,
      sent: 1_000_000,
      received: 1_009_000,
    };
    expect(judge(1_000, slow).outcome).toBe('good');
  });

  it.each([
    [12_000, 'warning'],
    [25_000, 'wrong'],
    [-25_000, 'wrong'],
  ])('that are %d ms apart are told as %s for a margin of 20 s', (apart, outcome) => {
    const found = judge(20_000, clock('storage', apart));
    expect(found.outcome).toBe(outcome);
    expect(found.mend).toContain('account.marginSeconds');
  });

  it('are held against each other, though each is near to ours', () => {
    const found = judge(20_000, clock('storage', 15_000), clock('Postgres', -15_000));
    expect(found).toMatchObject({ outcome: 'wrong' });
    expect(found.says).toMatch(/clock of storage is at least 29\.\d s ahead of that of Postgres/);
  });

  it('that nobody could read are not known', () => {
    expect(judge(20_000).outcome).toBe('unknown');
  });
});
