import { formatKey, type Key, parseKey } from '../namespace/key.ts';
import { IsthmusError } from '../schema/errors.ts';
import { reconcileHours } from '../schema/federation/reconcile-hours.ts';
import { liveRules } from '../schema/index/authority-revisions.ts';
import { recordJournal } from '../schema/index/journal.ts';
import { finishRun, type NewRun, readRun, recentRuns, startRun } from '../schema/index/runs.ts';
import { upsertSource } from '../schema/index/sources.ts';
import { standingRuns } from '../schema/index/standing-runs.ts';
import { transact } from '../schema/index/transact.ts';
import type { PreparedReconcile, ReconcileInput } from '../schema/inputs/activities.ts';
import { expireWaiting } from './expire.ts';
import { type FoundReport, findReport, type Judged } from './inventory/find-report.ts';
import { goneContainer } from './inventory/gone-container.ts';
import { openReport, type TrustedReport } from './inventory/open-report.ts';
import type { Judging } from './judging.ts';
import { holdsLive } from './listing/holds-live.ts';
import { parseRunState, type RunState } from './run/run-state.ts';
import { serverTime } from './run/server-time.ts';

/**
 * Finds who judges, and starts the run. A wish that an attempt which died has begun already is taken up, and so is
 * one whose run waits for a decision; a run of another wish that nobody will take up is ended as failed. Where
 * everything is judged by a new run, an older one need not be decided any more: it expires.
 *
 * `auto` bootstraps by a listing until one over everything is complete under the live rules (an inventory tells
 * no version well enough to do without a HEAD of each name, and its own filters may leave names out), and from
 * then on judges by the newest report; where there is no inventory, by a listing of everything once a day. A
 * prefix can only be listed.
 */
export async function prepareRun(
  judging: Judging,
  input: ReconcileInput,
  signal: AbortSignal,
): Promise<PreparedReconcile> {
  const prepared = await begin(judging, input, signal);
  const everything = (input.prefix ?? '') === '' && prepared.judge !== 'none' && prepared.reason === undefined;
  if (everything) await expireWaiting(judging, prepared.runId, signal);
  return prepared;
}

async function begin(judging: Judging, input: ReconcileInput, signal: AbortSignal): Promise<PreparedReconcile> {
  const wish = JSON.stringify([input.judge, input.prefix ?? '', input.manifest ?? '']);
  const begun = await takeUp(judging, wish);
  if (begun !== undefined) return begun;
  if (input.manifest !== undefined)
    return byInventory(judging, await namedReport(judging, input.manifest, signal), wish, signal);
  const prefix = input.prefix ?? '';
  if (input.judge === 'listing' || (input.judge === 'auto' && prefix !== '')) return byListing(judging, prefix, wish);
  if (input.judge === 'inventory' && prefix !== '') {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      'An inventory judges everything that its rule lists: leave the prefix out.',
    );
  }
  if (input.judge === 'auto' && (await listingIsDue(judging))) return byListing(judging, '', wish);
  const { inventory } = judging.federation.sources;
  if (inventory === undefined) {
    return nothing(judging, 'the federation names no inventory container, and no listing is due', wish);
  }
  const judged = (manifest: Key) => judgedBefore(judging, manifest, input.judge);
  const found = await findReport(judging.blobs, inventory, ofNow(judging), judged, signal);
  return byInventory(judging, found, wish, signal);
}

function ofNow({ account, clock }: Judging) {
  return { account: account.name, now: clock.now(), margin: account.margin };
}

/** A schedule fires a little early or late: a listing of the turn before is as old as a whole interval from here on. */
const DUE = 0.95;

async function listingIsDue(judging: Judging): Promise<boolean> {
  const { db } = judging.index;
  const of = { limit: 1, outcome: 'complete', judge: 'listing', prefix: '' } as const;
  const [last] = await recentRuns(db, judging.account.id, of);
  if (last === undefined) return true;
  const { ruleRevision } = parseRunState(last.state);
  if (ruleRevision !== (await liveRevision(judging))) return true;
  const { sources } = judging.federation;
  const interval = reconcileHours(sources) * 3_600_000;
  return sources.inventory === undefined && (await serverTime(db)) - last.startedAt >= interval * DUE;
}

async function liveRevision({ index, account }: Judging): Promise<number | null> {
  return (await liveRules(index.db, account.id))?.revision ?? null;
}

async function takeUp({ index, account }: Judging, wish: string): Promise<PreparedReconcile | undefined> {
  const { db } = index;
  const standing = await standingRuns(db, account.id);
  const waiting = await Promise.all(standing.map(({ id }) => readRun(db, id)));
  const recent = await recentRuns(db, account.id, { limit: 10 });
  for (const run of [...waiting, ...recent]) {
    if (run === undefined || run.outcome !== undefined || run.judge === 'sink') continue;
    if (run.state.wish === wish) return { runId: run.id, judge: run.judge };
    // One that waits for a decision, or was decided, may be needed still.
    if (standing.some(({ id }) => id === run.id)) continue;
    await finishRun(db, run.id, { outcome: 'failed', reason: 'it was left behind for another run' });
  }
  return undefined;
}

/** Asked for by name, the newest report is judged by again. */
async function judgedBefore(judging: Judging, manifest: Key, asked: ReconcileInput['judge']): Promise<Judged> {
  if (asked === 'inventory') return 'not';
  const runs = await recentRuns(judging.index.db, judging.account.id, { limit: 10, manifest: formatKey(manifest) });
  if (runs.some((run) => run.outcome === 'complete' || run.outcome === 'guarded')) return 'used';
  return runs.some((run) => run.outcome === 'rejected') ? 'rejected' : 'not';
}

async function namedReport(judging: Judging, name: string, signal: AbortSignal): Promise<FoundReport> {
  const manifest = parseKey(name);
  const opened = await openReport(judging.blobs, manifest, ofNow(judging), signal);
  switch (opened.kind) {
    case 'ready':
      return { kind: 'ready', manifest, report: opened.report };
    case 'containers':
      return {
        kind: 'none',
        reason: `${name} lists containers, and none of them says that it is gone`,
        containers: opened.report,
      };
    case 'rejected':
      return { kind: 'rejected', manifest, reason: opened.reason };
    case 'not-yet':
      return { kind: 'none', reason: opened.reason };
  }
}

async function byListing(judging: Judging, prefix: string, wish: string): Promise<PreparedReconcile> {
  // Rules that move after this are listed by as well, or call for another listing.
  const ruleRevision = await liveRevision(judging);
  const keepsNames = await holdsLive(judging);
  const applies = !keepsNames || (prefix === '' && !(await judgedWhole(judging)));
  const state: Partial<RunState> = { wish, ruleRevision, keepsNames, applies };
  const runId = await startRun(judging.index.db, judging.account.id, { judge: 'listing', prefix, state });
  return { runId, judge: 'listing' };
}

async function judgedWhole({ index, account }: Judging): Promise<boolean> {
  return (await recentRuns(index.db, account.id, { limit: 1, outcome: 'complete', prefix: '' })).length > 0;
}

async function byInventory(
  judging: Judging,
  found: FoundReport,
  wish: string,
  signal: AbortSignal,
): Promise<PreparedReconcile> {
  if (found.kind === 'none') {
    const gone = found.containers && (await goneContainer(judging, found.containers, signal));
    if (gone === undefined) return nothing(judging, found.reason, wish);
    return { ...(await byListing(judging, `${gone}/`, wish)), reason: `container ${gone} is gone` };
  }
  const manifest = formatKey(found.manifest);
  const of: NewRun = { judge: 'inventory', prefix: '', manifest };
  if (found.kind === 'ready') {
    const state = { ...stateOf(found.report, found.manifest.container), wish };
    const runId = await startRun(judging.index.db, judging.account.id, { ...of, state });
    return { runId, judge: 'inventory' };
  }
  const { reason } = found;
  const runId = await transact(judging.index, async (tx) => {
    const id = await startRun(tx, judging.account.id, { ...of, state: { wish } });
    await recordJournal(tx, judging.account.id, [{ kind: 'report-rejected', detail: { run: id, manifest, reason } }]);
    await finishRun(tx, id, { outcome: 'rejected', reason });
    return id;
  });
  return { runId, judge: 'inventory', reason };
}

function stateOf(report: TrustedReport, container: string): Partial<RunState> {
  const { format, files, objectCount, rule, start, completion } = report;
  const { prefixMatch, excludePrefix, blobTypes, createdInLastDays } = report.filters;
  const filters = {
    ...{ prefixMatch: [...prefixMatch], excludePrefix: [...excludePrefix], blobTypes: [...blobTypes] },
    createdInLastDays,
  };
  return {
    from: start,
    to: completion ?? start,
    inventory: { container, rule, format, files: [...files], filters, objectCount },
  };
}

async function nothing(judging: Judging, reason: string, wish: string): Promise<PreparedReconcile> {
  const accountId = judging.account.id;
  const runId = await transact(judging.index, async (tx) => {
    const id = await startRun(tx, accountId, { judge: 'none', prefix: '', state: { wish } });
    await finishRun(tx, id, { outcome: 'nothing-to-do', reason });
    await upsertSource(tx, { accountId, source: 'inventory', state: 'waiting', reason });
    return id;
  });
  return { runId, judge: 'none', reason };
}
