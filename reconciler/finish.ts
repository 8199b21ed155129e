import type { Timestamp } from '../namespace/entry.ts';
import { counted, isOrAre } from '../schema/counted.ts';
import { CAUSE_NAMES } from '../schema/drift/cause.ts';
import { assert, IsthmusError } from '../schema/errors.ts';
import { raiseHorizon } from '../schema/index/accounts.ts';
import type { Tx } from '../schema/index/database.ts';
import { healGaps } from '../schema/index/feed-gaps.ts';
import { countFindings } from '../schema/index/findings.ts';
import { type Run, readRun } from '../schema/index/runs.ts';
import { upsertSource } from '../schema/index/sources.ts';
import type { ReconcileSummary } from '../schema/inputs/activities.ts';
import type { Judging } from './judging.ts';
import { runSummary } from './report.ts';
import { type MoreCounts, RunLedger } from './run/ledger.ts';
import { refuseHeld, settleRun } from './settle/settle-run.ts';
import { Staging } from './staging/staging.ts';

export interface Waiting {
  /** How long the looks that a run wanted are waited for. */
  readonly mostMs: number;
  readonly pollMs: number;
}

export const DEFAULT_WAITING: Waiting = { mostMs: 3_600_000, pollMs: 500 };

/**
 * Waits until the looks that the run wanted are answered, settles what it found, then ends it: a complete judge of
 * everything raises the horizon to its start, so that no older create is believed without a look. What a person did
 * not approve is refused. May be asked again and again.
 *
 * @throws ISTHMUS_USAGE where the run was ended as failed meanwhile, as by an upgrade: nobody can go on with it.
 */
export async function finishReconcileRun(
  judging: Judging,
  runId: number,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<ReconcileSummary> {
  const ledger = await RunLedger.open(judging.index, runId);
  if (!ledger.ended) {
    const { phase, judgedAt } = ledger.state;
    assert(phase === 'wait' && judgedAt !== null, `run ${runId} was not judged before it was finished (${phase})`);
    const pending = await waitForLooks(judging, judgedAt, waiting, signal);
    await settleRun(judging, ledger, signal);
    if (isRefused(ledger.run)) await refuseHeld(judging, runId, decisionText(ledger.run), signal);
    await end(judging, ledger, reasonOf(judging, ledger, pending));
  }
  await new Staging(judging.index, { accountId: judging.account.id, runId }).drop();
  const run = await readRun(judging.index.db, runId);
  assert(run !== undefined, `run ${runId} is gone`);
  if (run.outcome === 'failed') {
    const why = run.reason ?? 'no reason was given';
    throw new IsthmusError('ISTHMUS_USAGE', `Run ${runId} failed: ${why}. Ask for another: \`isthmus reconcile\`.`);
  }
  return await runSummary(judging.index.db, run);
}

/** Whether what it held back is not to be deleted. */
function isRefused({ decision }: Run): boolean {
  return decision === 'rejected' || decision === 'expired';
}

function decisionText({ decision, decidedBy, decisionReason }: Run): string {
  const by = decidedBy === undefined ? '' : ` by ${decidedBy}`;
  return `${decision}${by}${decisionReason === undefined ? '' : `: ${decisionReason}`}`;
}

interface Pending {
  readonly looks: number;
  /** Why one of them could not be had. */
  readonly error: string | null;
}

/** @returns the looks that were left when the time was up. */
async function waitForLooks(
  judging: Judging,
  judgedAt: Timestamp,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<Pending> {
  const { account, clock, index } = judging;
  const until = clock.now() + waiting.mostMs;
  const asked = index.db.selectFrom('looks').where('account_id', '=', account.id).where('queued_at', '<=', judgedAt);
  // Counting a million of them takes a fifth of a second: only once.
  const isPending = async () => (await asked.select('queued_at').limit(1).executeTakeFirst()) !== undefined;
  for (;;) {
    signal.throwIfAborted();
    if (clock.now() >= until || !(await isPending())) break;
    await clock.sleep(waiting.pollMs, signal);
  }
  return asked
    .select((on) => [on.fn.countAll<number>().as('looks'), on.fn.max('error').as('error')])
    .executeTakeFirstOrThrow();
}

function reasonOf(judging: Judging, ledger: RunLedger, pending: Pending): string | undefined {
  const { run, state } = ledger;
  const reasons: string[] = [];
  if (state.guarded !== null) reasons.push(`${state.guarded}: ${decisionText(run)}`);
  if (state.inventory?.filters.createdInLastDays !== undefined) {
    reasons.push("the rule's creationTime filter says nothing of absent names");
  }
  if (state.unasked > 0) {
    const { looksPerRun } = judging.federation.reconcile;
    const differences = `${counted(state.unasked, 'difference')} ${isOrAre(state.unasked)} not looked at`;
    reasons.push(`${differences}, as a run asks for at most ${counted(looksPerRun, 'look')}: the next run goes on`);
  }
  if (pending.looks > 0) {
    const why = pending.error === null ? '' : ` (${pending.error})`;
    reasons.push(`${counted(pending.looks, 'look')} ${isOrAre(pending.looks)} not answered yet${why}`);
  }
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

async function end(judging: Judging, ledger: RunLedger, reason: string | undefined): Promise<void> {
  const { from, unasked } = ledger.state;
  const { run } = ledger;
  const accountId = judging.account.id;
  const refused = isRefused(run);
  await ledger.end({ outcome: refused ? 'guarded' : 'complete', reason }, async (tx) => {
    if (!refused && run.prefix === '' && from !== null) await raiseHorizon(tx, accountId, from);
    // A report's own filters may leave out what a gap of the feed is about; a listing shows every name.
    const healed = !refused && run.prefix === '' && run.judge === 'listing' && unasked === 0;
    if (healed) await healGaps(tx, accountId, run.id);
    if (run.judge === 'inventory') {
      const state = refused ? 'guarded' : 'judged';
      const times = from === null ? {} : { head: from, applied: from };
      await upsertSource(tx, { accountId, source: 'inventory', state, reason, ...times, detail: { run: run.id } });
    }
    return { counts: await countsByName(tx, ledger) };
  });
}

/** What the run found by cause, those among it that were only counted, and by what became of it. */
async function countsByName(tx: Tx, { run, counts }: RunLedger): Promise<MoreCounts> {
  const byName: Record<`${'cause' | 'state'}.${string}`, number> = {};
  const add = (name: keyof typeof byName, count: number) => {
    byName[name] = (byName[name] ?? 0) + count;
  };
  let kept = 0;
  for (const { cause, state, count } of await countFindings(tx, run.id)) {
    kept += count;
    add(`cause.${cause}`, count);
    add(`state.${state}`, count);
  }
  for (const cause of CAUSE_NAMES) {
    const unkept = counts[`unkept.${cause}`] ?? 0;
    if (unkept > 0) add(`cause.${cause}`, unkept);
  }
  // Names that the index cannot hold were kept as they were listed.
  return { ...byName, findings: kept - counts.findings };
}
