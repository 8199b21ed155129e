import type { Difference } from '../../schema/drift/cause.ts';
import type { Tx } from '../../schema/index/database.ts';
import { type NewFinding, recordFindings } from '../../schema/index/findings.ts';
import type { MoreCounts, RunLedger } from '../run/ledger.ts';

/** Findings of one difference that are kept of one run; of the others their number and their cause. */
export const MOST_FINDINGS = 100_000;

/**
 * Keeps findings in the transaction of a step, as far as they are to be kept. What was not listed always is: it may
 * have to be undone.
 *
 * @returns what the step counts by them.
 */
export async function keepFindings(tx: Tx, ledger: RunLedger, findings: readonly NewFinding[]): Promise<MoreCounts> {
  const found = new Map<Difference, number>();
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const kept = findings.filter(({ difference, cause }) => {
    const before = found.get(difference) ?? ledger.counts[`difference.${difference}`] ?? 0;
    found.set(difference, before + 1);
    count(`difference.${difference}`);
    if (difference === 'not-listed' || before < MOST_FINDINGS) return true;
    count(`unkept.${cause}`);
    return false;
  });
  const { run, state } = ledger;
  const of = { accountId: run.accountId, runId: run.id, previousRun: state.previousRun ?? undefined };
  await recordFindings(tx, of, kept);
  return { ...counts, findings: kept.length };
}
