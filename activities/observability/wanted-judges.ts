import type { Federation } from '../../schema/federation/federation.ts';
import { reconcileHours } from '../../schema/federation/reconcile-hours.ts';
import type { SeenRun } from '../../schema/index/run-standing.ts';

/** A judge that must say something of everything again and again. */
export interface WantedJudge extends Pick<SeenRun, 'judge' | 'sink'> {
  readonly everyMs: number;
}

const HOUR = 3_600_000;

/** Of the account the inventory, or, without one, a listing; and each sink. */
export function wantedJudges({
  sources,
  sinks,
  reconcile,
}: Pick<Federation, 'sources' | 'sinks' | 'reconcile'>): readonly WantedJudge[] {
  const judge = sources.inventory === undefined ? 'listing' : 'inventory';
  return [
    { judge, sink: undefined, everyMs: reconcileHours(sources) * HOUR },
    ...Object.keys(sinks).map((sink) => {
      return { judge: 'sink' as const, sink, everyMs: reconcile.sinksEveryHours * HOUR };
    }),
  ];
}
