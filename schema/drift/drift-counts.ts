import { CAUSE_NAMES, CAUSES, type Cause } from './cause.ts';

/** Names by the cause of their drift; causes of which there are none are absent. */
export type ByCause = Readonly<Partial<Record<Cause, number>>>;

/** What the counts of a run (`runs.counts`, keys `cause.NAME`) say of drift, kept as findings or not. What is no drift is left out. */
export function driftByCause(counts: Readonly<Record<string, number>>): ByCause {
  const drift: Partial<Record<Cause, number>> = {};
  for (const cause of CAUSE_NAMES) {
    const count = counts[`cause.${cause}`] ?? 0;
    if (count > 0 && CAUSES[cause].drift) drift[cause] = count;
  }
  return drift;
}

/** What findings that are kept say of drift, mended or not. */
export function driftOfFindings(findings: readonly { readonly cause: Cause; readonly count: number }[]): ByCause {
  const drift: Partial<Record<Cause, number>> = {};
  for (const { cause, count } of findings) {
    if (CAUSES[cause].drift) drift[cause] = (drift[cause] ?? 0) + count;
  }
  return drift;
}

export function totalOf(byCause: ByCause): number {
  return Object.values(byCause).reduce((sum, count) => sum + count, 0);
}

/** `missed-by-both 12, tier-moved 3`, the most first. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
}
