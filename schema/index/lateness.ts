import type { Timestamp } from '../../namespace/entry.ts';

/** Upper bounds of the counts that lateness is kept in, in seconds; what is later than the last is counted after it. */
export const LATENESS_BOUNDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200] as const;

/** How many came how late: one more count than there are bounds. */
export type Lateness = readonly number[];

/** How late a change is told, in seconds; a clock that is ahead tells of nothing in the future. */
export function secondsLate(time: Timestamp, now: Timestamp): number {
  return Math.max(0, now - time) / 1000;
}

export function noLateness(): number[] {
  return new Array<number>(LATENESS_BOUNDS.length + 1).fill(0);
}

/** In which of the counts so many seconds are. */
export function latenessAt(seconds: number): number {
  const at = LATENESS_BOUNDS.findIndex((bound) => seconds <= bound);
  return at < 0 ? LATENESS_BOUNDS.length : at;
}

/**
 * How late half of them were at most, in seconds, as near as the counts tell.
 *
 * @returns undefined where there were none.
 */
export function medianLateness(counts: Lateness): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (const [at, count] of counts.entries()) {
    if (count === 0 || before + count < total / 2) {
      before += count;
      continue;
    }
    const from = LATENESS_BOUNDS[at - 1] ?? 0;
    const to = LATENESS_BOUNDS[at] ?? from;
    return from + ((total / 2 - before) / count) * (to - from);
  }
  return undefined;
}
