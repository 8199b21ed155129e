/** How long something took, in seconds: half of them, all but one in a hundred, and the longest. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Of milliseconds. All zero where there are none. */
export function latenciesOf(samples: readonly number[]): Latencies {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50: seconds(at(0.5)), p99: seconds(at(0.99)), max: seconds(at(1)) };
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
