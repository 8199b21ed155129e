import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { Federation } from '../../schema/federation/federation.ts';
import { reconcileHours } from '../../schema/federation/reconcile-hours.ts';
import type {
  ControlState,
  EventHubIntakeInput,
  JobInput,
  LoopInput,
  ScheduledReconcileInput,
  StubDispatchInput,
} from '../../schema/inputs/control.ts';
import { SEARCH_ATTRIBUTES, taskQueueOf, type WorkflowType, workflowIds } from '../../schema/inputs/names.ts';
import { loopStanding } from './left-pause.ts';
import { refuseOtherOwner } from './schedule-owner.ts';
import { endUnnamedSinkSchedules, sinkSchedules } from './sink-schedules.ts';
import { workflowStates } from './workflow-states.ts';

export const TURN_SECONDS = 30;
/** What the feed tail shows of itself is at most this old. */
const FEED_TURN_SECONDS = 10;
const MAINTENANCE_EVERY = '1h';
/** Loops that run for as long as the file names what they are for: a transport, dead letters, the feed, a sink. */
const NAMED_LOOPS: ReadonlySet<string> = new Set<WorkflowType>([
  'triggerIntake',
  'eventHubIntake',
  'deadLetterIntake',
  'feedTail',
  'stubDispatch',
]);

/** A loop that must run as long as the federation does. */
export interface LoopSpec {
  readonly type: WorkflowType;
  readonly id: string;
  /** What `pause` and `resume` call it, and its search attribute. */
  readonly source: string;
  readonly summary: string;
  readonly input: LoopInput | EventHubIntakeInput | StubDispatchInput;
}

/** Which loops a federation has: one for each source that it names and for each sink. */
export function loopsOf(federation: Federation): readonly LoopSpec[] {
  const { sources, sinks, name, account } = federation;
  const input = { federation: name, turnSeconds: TURN_SECONDS, idleSeconds: 60 };
  const id = (type: 'triggerIntake' | 'eventHubIntake' | 'deadLetterIntake' | 'feedTail' | 'look') =>
    workflowIds[type](account.name);
  const loops: LoopSpec[] = [
    { type: 'look', id: id('look'), source: 'look', summary: `Looks and sweeps of ${account.name}`, input },
  ];
  if (sources.serviceBus !== undefined) {
    const summary = `Triggers of ${account.name} from queue ${sources.serviceBus.queue}`;
    loops.push({ type: 'triggerIntake', id: id('triggerIntake'), source: 'trigger', summary, input });
  }
  if (sources.deadLetters !== undefined) {
    const summary = `Dead letters of ${account.name} in ${sources.deadLetters.container}`;
    loops.push({ type: 'deadLetterIntake', id: id('deadLetterIntake'), source: 'dead-letters', summary, input });
  }
  if (sources.eventHubs !== undefined) {
    const { eventHub, readers } = sources.eventHubs;
    const summary = `Triggers of ${account.name} from event hub ${eventHub}`;
    const read = { ...input, readers };
    loops.push({ type: 'eventHubIntake', id: id('eventHubIntake'), source: 'event-hubs', summary, input: read });
  }
  if (sources.changeFeed !== undefined) {
    // For as long as there is no feed. At its end each turn says how long to rest, since a worker that starts
    // with another file does not start the workflow anew.
    const idleSeconds = Math.min(60, Math.max(1, sources.changeFeed.pollSeconds));
    const summary = `Change Feed of ${account.name}`;
    const feed = { ...input, turnSeconds: FEED_TURN_SECONDS, idleSeconds };
    loops.push({ type: 'feedTail', id: id('feedTail'), source: 'feed', summary, input: feed });
  }
  for (const sink of Object.keys(sinks)) {
    const dispatch = { ...input, sink };
    const source = `stub:${sink}`;
    const summary = `Stubs of ${account.name} in ${sink}`;
    loops.push({
      type: 'stubDispatch',
      id: workflowIds.stubDispatch(account.name, sink),
      source,
      summary,
      input: dispatch,
    });
  }
  return loops;
}

export function searchAttributesOf(
  federation: string,
  source: string,
  state: ControlState = 'running',
): SearchAttributePair[] {
  const [FEDERATION, SOURCE, STATE] = SEARCH_ATTRIBUTES;
  const values = { [FEDERATION]: federation, [SOURCE]: source, [STATE]: state };
  return Object.entries(values).map(([name, value]) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value }));
}

/**
 * Starts what does not run. Idempotent: every worker does it at its start and now and then, so a loop that somebody
 * ended comes back, as paused as it was.
 */
export async function ensureLoops(client: Client, federation: Federation): Promise<void> {
  await Promise.all(loopsOf(federation).map((loop) => ensureLoop(client, federation, loop)));
}

async function ensureLoop(client: Client, { name }: Federation, loop: LoopSpec): Promise<void> {
  const { type, id, source, summary, input } = loop;
  const standing = await loopStanding(client, id);
  if (standing === 'running') return;
  const { pause } = standing;
  await client.workflow.start(type, {
    workflowId: id,
    taskQueue: taskQueueOf(name),
    args: [pause === undefined ? input : { ...input, carried: { pause, turns: 0, totals: {} } }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowTaskTimeout: '5s',
    staticSummary: summary,
    // It may be ended again before it could say so itself.
    typedSearchAttributes: searchAttributesOf(name, source, pause === undefined ? 'running' : 'paused'),
  });
}

/**
 * Ends the loops of what the file named once and does not name any more (a transport, dead letters, the feed, a sink):
 * a next turn would only stop in alarm or idle for ever, and no `resume` knows them. Jobs and schedules are left
 * alone, and so is another account's loop.
 *
 * Safe beside workers with the same file. One that still has the older file brings the loop back, and it ends for
 * good once that worker is gone. A turn under way hears of the end by its heartbeat, and what it has not settled
 * comes again.
 *
 * @returns the ids of those that this call ended.
 */
export async function endUnnamedLoops(client: Client, federation: Federation): Promise<readonly string[]> {
  const unnamed = await unnamedLoops(client, federation);
  const ended = await Promise.all(unnamed.map(async (id) => ((await endLoop(client, id)) ? [id] : [])));
  return ended.flat();
}

/** The ids of the account's loops that run for something that the file does not name. */
export async function unnamedLoops(client: Client, federation: Federation): Promise<readonly string[]> {
  const { name } = federation.account;
  // An id is TYPE/ACCOUNT, and of a sink TYPE/ACCOUNT/SINK.
  const isOf = (id: string) => id.split('/')[1] === name;
  const named = new Set(loopsOf(federation).map(({ id }) => id));
  const running = await workflowStates(client, federation.name);
  return running.filter(({ id, type }) => NAMED_LOOPS.has(type) && isOf(id) && !named.has(id)).map(({ id }) => id);
}

/** @returns false where it has ended already: the list of those that run is a second behind. */
async function endLoop(client: Client, id: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(id).terminate('The federation file of a worker does not name it any more.');
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/**
 * Makes the schedules, or brings them to what the file says; whether one is paused is left as it is. Those of sinks that
 * it does not name any more are ended.
 *
 * @param index see `Owner`.
 * @throws IsthmusError `ISTHMUS_CONFIG` where another federation, or one with another index, has made them meanwhile.
 */
export async function ensureSchedules(client: Client, federation: Federation, index: string): Promise<void> {
  for (const schedule of schedulesOf(federation, index)) {
    try {
      await client.schedule.create(schedule);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await refuseOtherOwner(client, federation, () => Promise.resolve(index));
      await bringUpToDate(client, schedule);
    }
  }
  await endUnnamedSinkSchedules(client, federation);
}

/** Gives the schedules that there are to this index; those that there are not a worker makes. */
export async function takeOverSchedules(client: Client, federation: Federation, index: string): Promise<void> {
  for (const schedule of schedulesOf(federation, index)) {
    try {
      await bringUpToDate(client, schedule);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
}

async function bringUpToDate(client: Client, { scheduleId, spec, action, policies }: JobSchedule): Promise<void> {
  await client.schedule
    .getHandle(scheduleId)
    .update(({ state }) => ({ spec, action, policies: policies ?? {}, state }));
}

type JobSchedule = ScheduleOptions & { readonly action: { readonly workflowType: string } };

function schedulesOf(federation: Federation, index: string): readonly JobSchedule[] {
  const { name, account, sources } = federation;
  const hours = reconcileHours(sources);
  const job: JobInput = { federation: name };
  const reconcile: ScheduledReconcileInput = { ...job, account: account.name, index };
  const make = (
    id: 'reconcile' | 'maintenance',
    type: 'scheduledReconcile' | 'maintenance',
    every: string,
    args: [JobInput],
    summary: string,
  ) => ({
    scheduleId: workflowIds[id](account.name),
    spec: { intervals: [{ every: every as `${number}h` }], jitter: '1m' as const },
    action: {
      type: 'startWorkflow' as const,
      workflowType: type,
      workflowId: workflowIds[type](account.name),
      taskQueue: taskQueueOf(name),
      args,
      workflowTaskTimeout: '5s' as const,
      staticSummary: summary,
      // What only starts another workflow is no job that can be paused, and ends at once.
      ...(type === 'maintenance' ? { typedSearchAttributes: searchAttributesOf(name, type) } : {}),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1h' as const },
    // An empty index is filled at once, from a listing.
    state: { triggerImmediately: id === 'reconcile' },
  });
  return [
    make('reconcile', 'scheduledReconcile', `${hours}h`, [reconcile], `Starts the reconcile of ${account.name}`),
    make('maintenance', 'maintenance', MAINTENANCE_EVERY, [job], `Retention of ${account.name}`),
    ...sinkSchedules(federation),
  ];
}
