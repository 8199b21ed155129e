import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createLogger } from '../../activities/observability/logger.ts';
import { workflowBundle } from '../../cli/worker/workflow-bundle.ts';
import type { Activities } from '../../schema/inputs/activities.ts';
import { PAUSE, PROGRESS, type Progress, RESUME } from '../../schema/inputs/control.ts';
import type { WorkflowType } from '../../schema/inputs/names.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { type TestTemporal, testTemporal } from '../support/temporal.ts';

const logger = new DefaultLogger('ERROR', () => {});
Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: 'error', forward: {} } } });

/** The bundle of the real workflows, as a worker has it. */
export function testBundle(): ReturnType<typeof workflowBundle> {
  return workflowBundle(createLogger({ level: 'silent' }));
}

/** A turn that stands until its workflow cancels it, heartbeating as real ones do. */
export async function standing(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}

export interface TestWorkflows extends AsyncDisposable {
  readonly temporal: TestTemporal;
  /** Runs a workflow on a worker of its own, whose activities are these. */
  start(type: WorkflowType, args: unknown[], activities: Partial<Activities>): Promise<RunningWorkflow>;
  /** Only the worker, for workflows that somebody else starts. */
  work(taskQueue: string, activities: Partial<Activities>): Promise<AsyncDisposable>;
}

export interface RunningWorkflow extends AsyncDisposable {
  readonly handle: WorkflowHandleWithFirstExecutionRunId;
  progress(): Promise<Progress>;
  pause(reason: string): Promise<Progress>;
  resume(): Promise<Progress>;
  /** Sends an update of the workflow's own, and answers what it answers. */
  update<Answer>(name: string, input: unknown): Promise<Answer>;
  /** The rests of this run in order: for how many seconds, and whether that time has passed. */
  rests(): Promise<readonly { readonly seconds: number; readonly passed: boolean }[]>;
  /** Waits until its progress is as asked. */
  until(what: string, holds: (progress: Progress) => boolean): Promise<Progress>;
}

/** @param historyEvents after how many a new run is begun; Temporal's own limit is in the thousands. */
export async function testWorkflows(historyEvents?: number): Promise<TestWorkflows> {
  const limits = historyEvents === undefined ? {} : { 'limit.historyCount.suggestContinueAsNew': historyEvents };
  const temporal = await testTemporal(limits);
  return {
    temporal,
    start: (type, args, activities) => start(temporal, type, args, activities),
    work: (taskQueue, activities) => work(temporal, taskQueue, activities),
    [Symbol.asyncDispose]: () => temporal[Symbol.asyncDispose](),
  };
}

async function work(
  temporal: TestTemporal,
  taskQueue: string,
  activities: Partial<Activities>,
): Promise<AsyncDisposable> {
  const worker = await Worker.create({
    connection: temporal.connection,
    taskQueue,
    workflowBundle: await testBundle(),
    activities,
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
  });
  const running = worker.run();
  return {
    [Symbol.asyncDispose]: async () => {
      worker.shutdown();
      await running;
    },
  };
}

async function start(
  temporal: TestTemporal,
  type: WorkflowType,
  args: unknown[],
  activities: Partial<Activities>,
): Promise<RunningWorkflow> {
  const taskQueue = randomUUID();
  const worker = await work(temporal, taskQueue, activities);
  const handle = await temporal.client.workflow.start(type, { workflowId: `${type}/${taskQueue}`, taskQueue, args });
  const progress = () => handle.query<Progress>(PROGRESS);
  return {
    handle,
    progress,
    pause: (reason) => handle.executeUpdate<Progress, [{ reason: string }]>(PAUSE, { args: [{ reason }] }),
    resume: () => handle.executeUpdate<Progress, []>(RESUME),
    update: (name, input) => handle.executeUpdate(name, { args: [input] }),
    rests: async () => {
      const { events } = await temporal.client.workflow.getHandle(handle.workflowId).fetchHistory();
      const passed = new Set(events?.map((event) => event.timerFiredEventAttributes?.timerId));
      return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
        timer ? [{ seconds: tsToMs(timer.startToFireTimeout) / 1000, passed: passed.has(timer.timerId) }] : [],
      );
    },
    until: async (what, holds) => {
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
        const seen = await progress();
        if (holds(seen)) return seen;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`It never came to be ${what}: ${JSON.stringify(await progress())}`);
    },
    [Symbol.asyncDispose]: async () => {
      await temporal.client.workflow
        .getHandle(handle.workflowId)
        .terminate('the test is over')
        .catch(() => undefined);
      await worker[Symbol.asyncDispose]();
    },
  };
}
