import type { Run } from '../../schema/index/runs.ts';
import type { ReconcileProgress } from '../../schema/inputs/reconcile.ts';
import { parseSinkState } from './sink-ledger.ts';

/** Where a run of a sink is, by its ledger. */
export function sinkProgressOf(run: Run): Omit<ReconcileProgress, 'causes'> {
  const { phase, walked, compared, pairs, after } = parseSinkState(run.state);
  const of = run.counts.suspects ?? 0;
  switch (phase) {
    case 'walk':
      return { phase: 'walking the sink', done: walked, unit: 'files' };
    case 'compare':
      return { phase: 'comparing with the index', done: compared.length, of: pairs ?? undefined, unit: 'parts' };
    case 'check':
      return { phase: 'looking at what differs again', done: Math.min(after, of), of, unit: 'names' };
    case 'repair':
      return { phase: 'making stubs due', done: Math.min(after, of), of, unit: 'names' };
    case 'settle':
      return { phase: 'waiting for stubs to be written', done: of, unit: 'names' };
  }
}
