import { setTimeout as sleep } from 'node:timers/promises';
import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { SILENCE_MS } from '../../activities/observability/silence.ts';
import { openTriggers } from '../../activities/open-services.ts';
import { formatKey } from '../../namespace/key.ts';
import { countEntries } from '../../schema/index/queries.ts';
import { type Run, recentRuns } from '../../schema/index/runs.ts';
import { readSources } from '../../schema/index/sources.ts';
import { countStubs } from '../../schema/index/stubs.ts';
import { countViolations, recentViolations, type Violation } from '../../schema/index/violations.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';
import type { OpenAccount } from '../open-account.ts';
import { type AskedSources, type SourceHead, sourceHeads } from './source-heads.ts';
import type { WorkflowStatus } from './workflow-status.ts';

/** What a status is collected from; kept open while `--wait` asks again and again. */
export interface StatusSources extends AsyncDisposable, AskedSources {}

export function openStatusSources({ federation, account }: OpenAccount): StatusSources {
  const triggers = federation.sources.serviceBus === undefined ? undefined : openTriggers(federation);
  const feed = new AzureFeedStore(blobService(federation.account));
  return {
    federation,
    account,
    feed,
    triggers,
    [Symbol.asyncDispose]: async () => {
      await triggers?.close().catch(() => undefined);
    },
  };
}

/** How long a source is watched to tell one that is slow from one that stands still. */
const WATCH_MS = 1_500;

/**
 * Cheap enough to be asked again and again: what `tellSources` adds is not in it.
 *
 * @param workflows undefined where Temporal does not answer.
 */
export async function collectStatus(
  open: OpenAccount,
  asked: StatusSources,
  workflows: readonly WorkflowStatus[] | undefined,
  signal: AbortSignal,
): Promise<StatusOutput> {
  const { index, account, federation } = open;
  const now = Date.now();
  const rows = await readSources(index.db, account.id);
  const [heads, counts, stubs, runs, refused, latest] = await Promise.all([
    sourceHeads(asked, rows, now, signal),
    countEntries(index.db, account.id),
    countStubs(index.db, account.id),
    recentRuns(index.db, account.id, { limit: 1 }),
    countViolations(index.db, account.id),
    recentViolations(index.db, account.id, 1),
  ]);
  const { live, tombstones, dead, bytes, lookDue, stubDue, byStub } = counts;
  const last = runs[0];
  const status = {
    federation: federation.name,
    account: account.name,
    at: formatTime(now),
    sources: heads.map(sourceOutput),
    index: { live, tombstones, dead, bytes, lookDue, stubDue, byStub: { ...byStub } },
    stubs: stubs.map((each) => ({ ...each })),
    workflows: workflows === undefined ? null : workflows.map((each) => ({ ...each })),
    lastReconcile: last === undefined ? null : runOutput(last),
    violations: { count: refused, last: latest[0] === undefined ? null : violationText(latest[0]) },
  };
  const moving = [...whatMoves(heads, status, last)];
  return { ...status, moving, settled: moving.length === 0, alarms: workflowAlarms(workflows) };
}

/** Both versions by name, so that somebody can judge which was meant. */
function violationText({ source, api, eventTime, changeEtag, entryEtag, reason, ...key }: Violation): string {
  const versions = `${changeEtag ?? 'no version'} over ${entryEtag ?? 'none in the index'}`;
  return `${formatKey(key)}: ${api} of ${versions}, told by ${source} at ${formatTime(eventTime)}: ${reason}`;
}

/** Sources that had news more than a minute ago and take nothing of it, and an inventory that did not come (invariant 9). */
export async function sourceAlarms(
  open: OpenAccount,
  asked: StatusSources,
  signal: AbortSignal,
): Promise<StatusOutput['alarms']> {
  const observe = async (): Promise<readonly SourceHead[]> => {
    const rows = await readSources(open.index.db, open.account.id);
    return await sourceHeads(asked, rows, Date.now(), signal);
  };
  const suspects = (await observe()).filter(({ behind, since }) => {
    return behind !== undefined && since !== undefined && Date.now() - since > SILENCE_MS;
  });
  if (suspects.length === 0) return [];
  await sleep(WATCH_MS, undefined, { signal });
  const later = await observe();
  return suspects.flatMap(({ source, progress, behind }) => {
    const now = later.find((head) => head.source === source);
    const stands = now?.behind !== undefined && now.progress === progress;
    return stands ? [{ about: source, message: `${behind}, and nothing is being taken` }] : [];
  });
}

function whatMoves(
  heads: readonly SourceHead[],
  { index, stubs }: Pick<StatusOutput, 'index' | 'stubs'>,
  last: Run | undefined,
): readonly string[] {
  const moving = heads.flatMap(({ source, behind }) =>
    behind === undefined || source === 'inventory' ? [] : [`${source}: ${behind}`],
  );
  if (index.lookDue > 0) moving.push(`look: ${index.lookDue} names are to be looked at`);
  if (index.dead > 0) moving.push(`sweep: ${index.dead} entries of dead containers are to be swept`);
  for (const { sink, due } of stubs) if (due > 0) moving.push(`stub:${sink}: ${due} stubs are behind`);
  if (last !== undefined && last.outcome === undefined) moving.push(`inventory: reconcile ${last.id} is running`);
  return moving;
}

/** Every workflow that somebody must look at. */
function workflowAlarms(workflows: readonly WorkflowStatus[] | undefined): StatusOutput['alarms'] {
  if (workflows === undefined) return [{ about: 'temporal', message: 'Temporal does not answer' }];
  return workflows.flatMap(({ id, running, state, reason, source }) => {
    if (!running) return [{ about: source, message: `${id} does not run (${reason}): start \`isthmus worker\`` }];
    return state === 'alarm' ? [{ about: source, message: `${id} stopped: ${reason ?? 'see its details'}` }] : [];
  });
}

function sourceOutput({ source, state, reason, head, applied, behind }: SourceHead): StatusOutput['sources'][number] {
  const lag = head === undefined || applied === undefined ? null : Math.max(0, head - applied) / 1000;
  return {
    source,
    state,
    reason: reason ?? null,
    head: head === undefined ? null : formatTime(head),
    applied: applied === undefined ? null : formatTime(applied),
    lagSeconds: lag,
    behind: behind ?? null,
    deadLetters: null,
  };
}

function runOutput({ id, judge, outcome, reason, startedAt, endedAt, counts }: Run): StatusOutput['lastReconcile'] {
  return {
    id,
    judge,
    outcome: outcome ?? null,
    reason: reason ?? null,
    startedAt: formatTime(startedAt),
    endedAt: endedAt === undefined ? null : formatTime(endedAt),
    counts: { ...counts },
  };
}
