import { driftByCause } from '../../schema/drift/drift-counts.ts';
import { assert } from '../../schema/errors.ts';
import type { Run } from '../../schema/index/runs.ts';
import type { JudgeSinkSummary } from '../../schema/inputs/judge-sink.ts';

/** What a run that has judged a sink found. */
export function summaryOf(run: Run): JudgeSinkSummary {
  const { id, sink, outcome, reason, counts } = run;
  assert(
    sink !== undefined && outcome !== undefined && outcome !== 'failed' && outcome !== 'rejected',
    `run ${id} of a sink failed: ${reason ?? 'unknown'}`,
  );
  const count = (name: string) => counts[name] ?? 0;
  return {
    ...{ runId: id, sink, outcome, reason, files: count('files'), live: count('live'), drift: driftByCause(counts) },
    ...{ repaired: count('repaired'), open: count('open'), waiting: count('waiting') },
  };
}
