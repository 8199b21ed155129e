import { setTimeout as sleep } from 'node:timers/promises';
import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { within } from '../../activities/azure/within.ts';
import type { LoopPauses } from '../../activities/observability/loop-pause.ts';
import { alarmsOf, type Glance, SourceWatch } from '../../activities/observability/source-watch.ts';
import { openEventHubs, openTriggers } from '../../activities/open-services.ts';
import { formatKey } from '../../namespace/key.ts';
import { readMoving } from '../../schema/index/moving.ts';
import { countEntries } from '../../schema/index/queries.ts';
import { type Run, recentRuns } from '../../schema/index/runs.ts';
import { countStubs } from '../../schema/index/stubs.ts';
import { countViolations, recentViolations, type Violation } from '../../schema/index/violations.ts';
import type { StatusOutput } from '../../schema/outputs/status.ts';
import { formatTime } from '../format.ts';
import type { OpenAccount } from '../open-account.ts';
import { countOpenLetters } from './count-open-letters.ts';
import { judgeOutput } from './judge-output.ts';
import { alarmOutput, sourceOutputs } from './source-output.ts';
import { whatMoves } from './what-moves.ts';
import type { WorkflowStatus } from './workflow-status.ts';

/** What a status is collected from; kept open while `--wait` asks again and again. */
export interface StatusSources extends AsyncDisposable {
  readonly watch: SourceWatch;
  /** Milliseconds since 1970. */
  now(): number;
}

/** How long a queue is watched to tell an intake that is slow from one that stands still. */
const WATCH_MS = 1_500;

/** Nothing is held that would have to be given back: a queue that is silent is not waited for. */
const CLOSE_MS = 1_000;

export function openStatusSources({ federation, index, account }: OpenAccount): StatusSources {
  const { serviceBus, eventHubs } = federation.sources;
  const triggers = {
    trigger: serviceBus && openTriggers(federation),
    'event-hubs': eventHubs && openEventHubs(federation, index, account.id),
  };
  const feed = new AzureFeedStore(blobService(federation.account));
  return {
    watch: new SourceWatch({ federation, feed, triggers }, WATCH_MS - 500),
    now: Date.now,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(triggers).map((queue) => queue && within(CLOSE_MS, queue.close())));
    },
  };
}

/** What is on its way, and no more: cheap enough to be asked again and again, however large the index. */
export async function collectMoving(
  { index, account }: OpenAccount,
  { watch, now }: StatusSources,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [glance, moving] = await Promise.all([
    watch.glance(index.db, account, now(), signal),
    readMoving(index.db, account.id),
  ]);
  return whatMoves(glance, moving);
}

/**
 * Everything, once.
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
  const [glance, counts, stubs, runs, refused, latest, due, letters] = await Promise.all([
    surely(open, asked, pausesOf(workflows), signal),
    countEntries(index.db, account.id),
    countStubs(index.db, account.id),
    recentRuns(index.db, account.id, { limit: 1 }),
    countViolations(index.db, account.id),
    recentViolations(index.db, account.id, 1),
    readMoving(index.db, account.id),
    countOpenLetters(open, signal),
  ]);
  const { live, tombstones, dead, bytes, lookDue, stubDue, byStub } = counts;
  const [last] = runs;
  const moving = [...whatMoves(glance, due)];
  const alarms = alarmsOf(glance).map(alarmOutput);
  return {
    federation: federation.name,
    account: account.name,
    at: formatTime(glance.at),
    settled: moving.length === 0,
    moving,
    sources: sourceOutputs(glance),
    index: { live, tombstones, dead, bytes, lookDue, stubDue, byStub: { ...byStub } },
    stubs: stubs.map((each) => ({ ...each })),
    workflows: workflows === undefined ? null : workflows.map((each) => ({ ...each })),
    judges: glance.judges.map(judgeOutput),
    lastReconcile: last === undefined ? null : runOutput(last),
    ...letters,
    violations: { count: refused, last: latest[0] === undefined ? null : violationText(latest[0]) },
    alarms: [...alarms, ...workflowAlarms(workflows)],
  };
}

/** Looks twice where one glance cannot tell a queue that is slow from one that nobody takes from. */
async function surely(
  { index, account }: OpenAccount,
  { watch, now }: StatusSources,
  pauses: LoopPauses,
  signal: AbortSignal,
): Promise<Glance> {
  const glance = await watch.glance(index.db, account, now(), signal, pauses);
  if (!glance.sources.some(({ suspect }) => suspect)) return glance;
  await sleep(WATCH_MS, undefined, { signal });
  return await watch.glance(index.db, account, now(), signal, pauses);
}

function pausesOf(workflows: readonly WorkflowStatus[] | undefined): LoopPauses {
  const paused = workflows?.filter(({ state }) => state === 'paused') ?? [];
  return Object.fromEntries(paused.map(({ source, reason }) => [source, { reason: reason ?? undefined }]));
}

/** Both versions by name, so that somebody can judge which was meant. */
function violationText({ source, api, eventTime, changeEtag, entryEtag, reason, ...key }: Violation): string {
  const versions = `${changeEtag ?? 'no version'} over ${entryEtag ?? 'none in the index'}`;
  return `${formatKey(key)}: ${api} of ${versions}, told by ${source} at ${formatTime(eventTime)}: ${reason}`;
}

/** Every workflow that somebody must look at. */
function workflowAlarms(workflows: readonly WorkflowStatus[] | undefined): StatusOutput['alarms'] {
  if (workflows === undefined) {
    return [{ about: 'temporal', kind: 'temporal', message: 'Temporal does not answer', since: null }];
  }
  return workflows.flatMap(({ id, running, state, reason, source, since }) => {
    const alarm = { about: source, kind: 'workflow' as const, since };
    if (!running) return [{ ...alarm, message: `${id} does not run (${reason}): start \`isthmus worker\`` }];
    return state === 'alarm' ? [{ ...alarm, message: `${id} stopped: ${reason ?? 'see its details'}` }] : [];
  });
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
