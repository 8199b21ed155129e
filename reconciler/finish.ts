import type { Timestamp } from '../namespace/entry.ts';
import { assert } from '../schema/errors.ts';
import { raiseHorizon } from '../schema/index/accounts.ts';
import { healGaps } from '../schema/index/feed-gaps.ts';
import { finishRun, type Run, readRun } from '../schema/index/runs.ts';
import { upsertSource } from '../schema/index/sources.ts';
import { transact } from '../schema/index/transact.ts';
import type { ReconcileSummary } from '../schema/inputs/activities.ts';
import type { Judging } from './judging.ts';
import { RunLedger } from './run/ledger.ts';
import { Staging } from './staging/staging.ts';

export interface Waiting {
  /** How long the looks that a run wanted are waited for. */
  readonly mostMs: number;
  readonly pollMs: number;
}

export const DEFAULT_WAITING: Waiting = { mostMs: 3_600_000, pollMs: 500 };

/**
 * Waits until the looks that the run wanted are answered, then ends it: a complete judge of everything raises
 * the horizon to its start, so that no older create is believed without a look. May be asked again and again.
 */
export async function finishReconcileRun(
  judging: Judging,
  runId: number,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<ReconcileSummary> {
  const ledger = await RunLedger.open(judging.index, runId);
  if (!ledger.ended) {
    const { phase, judgedAt, guarded } = ledger.state;
    assert(phase === 'wait' && judgedAt !== null, `run ${runId} was not judged before it was finished (${phase})`);
    const pending = await waitForLooks(judging, judgedAt, waiting, signal);
    await end(judging, ledger, reasonOf(ledger, guarded, pending));
  }
  await new Staging(judging.index, { accountId: judging.account.id, runId }).drop();
  const run = await readRun(judging.index.db, runId);
  assert(run !== undefined, `run ${runId} is gone`);
  return summaryOf(run);
}

/** @returns how many looks were left when the time was up. */
async function waitForLooks(
  judging: Judging,
  judgedAt: Timestamp,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<number> {
  const until = judging.clock.now() + waiting.mostMs;
  for (;;) {
    signal.throwIfAborted();
    const { pending } = await judging.index.db
      .selectFrom('looks')
      .select((on) => on.fn.countAll<number>().as('pending'))
      .where('account_id', '=', judging.account.id)
      .where('queued_at', '<=', judgedAt)
      .executeTakeFirstOrThrow();
    if (pending === 0 || judging.clock.now() >= until) return pending;
    await judging.clock.sleep(waiting.pollMs, signal);
  }
}

function reasonOf(ledger: RunLedger, guarded: string | null, pending: number): string | undefined {
  const reasons: string[] = [];
  if (guarded !== null) reasons.push(`${guarded}: nothing absent was looked at`);
  if (ledger.state.inventory?.filters.createdInLastDays !== undefined) {
    reasons.push("the rule's creationTime filter says nothing of absent names");
  }
  if (pending > 0) reasons.push(pending === 1 ? '1 look is not answered yet' : `${pending} looks are not answered yet`);
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

async function end(judging: Judging, ledger: RunLedger, reason: string | undefined): Promise<void> {
  const { from, guarded } = ledger.state;
  const { run } = ledger;
  const accountId = judging.account.id;
  await transact(judging.index, async (tx) => {
    await finishRun(tx, run.id, { outcome: guarded === null ? 'complete' : 'guarded', reason });
    if (guarded === null && run.prefix === '' && from !== null) await raiseHorizon(tx, accountId, from);
    // A report's own filters may leave out what a gap of the feed is about; a listing shows every name.
    if (guarded === null && run.prefix === '' && run.judge === 'listing') await healGaps(tx, accountId, run.id);
    if (run.judge !== 'inventory') return;
    const state = guarded === null ? 'judged' : 'guarded';
    const times = from === null ? {} : { head: from, applied: from };
    await upsertSource(tx, { accountId, source: 'inventory', state, reason, ...times, detail: { run: run.id } });
  });
}

export function summaryOf(run: Run): ReconcileSummary {
  const count = (name: string) => run.counts[name] ?? 0;
  const { judge } = run;
  assert(run.outcome !== undefined && run.outcome !== 'failed', `run ${run.id} failed: ${run.reason ?? 'unknown'}`);
  assert(judge !== 'sink', `run ${run.id} judged a sink, not the account`);
  return {
    runId: run.id,
    judge,
    outcome: run.outcome,
    reason: run.reason,
    listed: count('listed'),
    agreed: count('agreed') + count('newer'),
    filled: count('filled'),
    applied: count('applied'),
    looks: count('looks'),
    missing: count('missing'),
  };
}
