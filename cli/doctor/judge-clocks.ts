import { type Finding, good, unknown, warning, wrong } from './finding.ts';

/** What a clock showed, by ours: between which two moments of ours it was read, in milliseconds. */
export interface ClockReading {
  readonly whose: string;
  readonly time: number;
  /** An HTTP date has whole seconds: the time was up to this much later. */
  readonly coarseness: number;
  readonly sent: number;
  readonly received: number;
}

/** How far a clock is certainly ahead of ours (negative: behind), at least and at most. */
interface Offset {
  readonly whose: string;
  readonly least: number;
  readonly most: number;
}

/**
 * Holds every two clocks against the margin of the clock rules, by what is certain of them: neither the way of an
 * answer nor the fraction of a second that an HTTP date leaves out is counted against a clock.
 */
export function judgeClocks(readings: readonly ClockReading[], marginMs: number, account: string): Finding {
  const check = 'clocks.margin';
  if (readings.length === 0) return unknown(check, 'no other clock could be read');
  const offsets: readonly Offset[] = [
    { whose: 'this machine', least: 0, most: 0 },
    ...readings.map(({ whose, time, coarseness, sent, received }) => ({
      whose,
      least: time - received,
      most: time + coarseness - sent,
    })),
  ];
  let worst = { apart: 0, ahead: '', behind: '' };
  for (const ahead of offsets) {
    for (const behind of offsets) {
      const apart = ahead.least - behind.most;
      if (apart > worst.apart) worst = { apart, ahead: ahead.whose, behind: behind.whose };
    }
  }
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const names = offsets.map(({ whose }) => whose).join(', ');
  const margin = `account.marginSeconds of ${account} is ${marginMs / 1000}`;
  if (worst.apart * 2 < marginMs) return good(check, `${names} agree to ${seconds(worst.apart)}; ${margin}`);
  const found = `the clock of ${worst.ahead} is at least ${seconds(worst.apart)} ahead of that of ${worst.behind}; ${margin}`;
  const mend = `Synchronise the clocks (chronyc tracking, timedatectl), or set account.marginSeconds to ${Math.ceil((worst.apart * 3) / 1000)} or more.`;
  return worst.apart < marginMs ? warning(check, found, mend) : wrong(check, found, mend);
}
