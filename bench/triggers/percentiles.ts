/** In milliseconds: what half of them, and all but one in a hundred, took at most. Both zero where there are none. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export function percentilesOf(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
