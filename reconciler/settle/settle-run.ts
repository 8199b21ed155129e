import { formatKey } from '../../namespace/key.ts';
import { entriesNow } from '../../schema/index/entries-now.ts';
import { closeFindings, readFindings, type Settled, settleFindings } from '../../schema/index/findings.ts';
import { findingScope } from '../causes/finding-of.ts';
import type { Judging } from '../judging.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import { settledBy } from './settle-finding.ts';

/** Findings of one transaction. */
const PIECE = 5_000;

/**
 * Holds every finding whose look was asked for against the index as it is now, in the order in which they were noted,
 * from where the ledger says that it stopped. One whose look is not answered keeps its provisional cause, and a note
 * that says why.
 */
export async function settleRun(judging: Judging, ledger: RunLedger, signal: AbortSignal): Promise<void> {
  const scope = await findingScope(judging, ledger);
  for (let left = true; left; ) {
    signal.throwIfAborted();
    await ledger.step(
      async (tx): Promise<Step> => {
        const of = { states: ['looking'], after: ledger.state.afterFinding, limit: PIECE } as const;
        const findings = await readFindings(tx, ledger.run.id, of);
        left = findings.length === PIECE;
        const now = await entriesNow(tx, judging.account.id, findings);
        const settled = findings.map((finding): Settled => {
          const is = now.get(formatKey(finding));
          return settledBy(finding, is, scope) ?? { ...finding, evidence: { note: notAnswered(is?.lookError) } };
        });
        await settleFindings(tx, settled);
        return { state: { afterFinding: findings.at(-1)?.id ?? ledger.state.afterFinding } };
      },
      { byKey: true },
    );
  }
}

function notAnswered(error: string | undefined): string {
  return `Its look was not answered when the run ended${error === undefined ? '.' : `: ${error}`}`;
}

/** Refuses what the run held back, once that was decided. */
export async function refuseHeld(judging: Judging, runId: number, note: string, signal: AbortSignal): Promise<void> {
  const of = { states: ['held'], as: 'refused', note, limit: PIECE } as const;
  do signal.throwIfAborted();
  while ((await closeFindings(judging.index.db, runId, of)) === PIECE);
}
