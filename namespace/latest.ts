import type { Timestamp } from './entry.ts';

/** The later of two times of which either may not be known. */
export function latest(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
