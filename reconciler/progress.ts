import { assert } from '../schema/errors.ts';
import type { Index } from '../schema/index/database.ts';
import { countLooks } from '../schema/index/looks.ts';
import { type Run, readRun } from '../schema/index/runs.ts';
import type { ReconcileProgress } from '../schema/inputs/reconcile.ts';
import { causesOf } from './report.ts';
import { parseRunState } from './run/run-state.ts';
import { sinkProgressOf } from './sink/sink-progress.ts';

/** Where a run is by its ledger, so that whoever asks need not be who does it. */
export async function progressOf(index: Index, runId: number): Promise<ReconcileProgress> {
  const run = await readRun(index.db, runId);
  assert(run !== undefined, `there is no run ${runId}`);
  const causes = await causesOf(index.db, run);
  return { ...(run.judge === 'sink' ? sinkProgressOf(run) : await reached(index, run)), causes };
}

async function reached(index: Index, run: Run): Promise<Omit<ReconcileProgress, 'causes'>> {
  const { phase, inventory, stagedRows, compared, partitions } = parseRunState(run.state);
  const count = (name: string) => run.counts[name] ?? 0;
  switch (phase) {
    case 'stage': {
      const phase = `staging the ${run.judge}`;
      return inventory === null
        ? { phase, done: count('rows'), unit: 'rows' }
        : { phase, done: stagedRows, of: inventory.objectCount, unit: 'rows' };
    }
    case 'compare':
      return { phase: 'comparing with the index', done: compared.length, of: partitions ?? undefined, unit: 'parts' };
    case 'present':
      return {
        phase: 'judging what differs',
        done: count('filled') + count('applied') + count('looks'),
        unit: 'names',
      };
    case 'want':
      return { phase: 'asking for looks', done: count('looks'), unit: 'looks' };
    case 'wait': {
      const of = count('looks');
      const pending = await countLooks(index.db, run.accountId);
      return { phase: 'waiting for looks', done: Math.max(0, of - pending), of, unit: 'looks' };
    }
    default:
      return { phase, done: count('missing'), unit: 'names' };
  }
}
