import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../../activities/activities.ts';
import { Metrics } from '../../activities/observability/metrics.ts';
import { openServices } from '../../activities/open-services.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import { accountMismatch } from '../../schema/federation/account-mismatch.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { openIndex } from '../../schema/index/database.ts';
import { taskQueueOf } from '../../schema/inputs/names.ts';
import { type Environment, indexUrl } from '../environment.ts';
import { temporalConfig } from '../temporal.ts';
import { versionOf } from '../version.ts';
import { ensureSchedules } from './ensure-workflows.ts';
import { keepLoops } from './keep-loops.ts';
import { type Health, serveMetrics } from './metrics-server.ts';
import { monitor } from './monitor.ts';
import { patiently } from './patiently.ts';
import { prepareIndex } from './prepare-index.ts';
import { requestReconcile } from './request-reconcile.ts';
import { readIndexOf, refuseOtherOwner } from './schedule-owner.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** Activities are told to stop after this; they then end with the page that they are at. */
const GRACE = '200ms';
const FORCE = '12s';

export interface WorkerOptions {
  readonly federation: Federation;
  readonly env: Environment;
  readonly log: Logger;
  /** Its abort is the request to stop: turns under way end with their page. */
  readonly signal: AbortSignal;
}

/**
 * One worker, until the signal. It never gives up: while Postgres or Temporal is away it says so and tries
 * again, and activities that fail meanwhile are retried by Temporal.
 *
 * @throws IsthmusError `ISTHMUS_CONFIG` where the account's name and its address are of two accounts, or where the
 * workflows of the account are another federation's or of another index; `ISTHMUS_PORT_IN_USE`.
 */
export async function runWorker({ federation, env, log, signal }: WorkerOptions): Promise<void> {
  const mismatch = accountMismatch(federation.account);
  if (mismatch !== undefined) throw new IsthmusError('ISTHMUS_CONFIG', `${mismatch.says}. ${mismatch.mend}`);
  const patience = { log, signal };
  const metrics = new Metrics();
  metrics.worker({ federation: federation.name, account: federation.account.name, version: versionOf() });
  const health: { -readonly [Part in 'postgres' | 'temporal' | 'worker']: Health[string] } = {
    postgres: 'waiting',
    temporal: 'waiting',
    worker: 'waiting',
  };
  await using closing = new AsyncDisposableStack();
  closing.use(installTemporalRuntime(log));
  try {
    const server = await patiently('Serving metrics', patience, () =>
      serveMetrics(env.ISTHMUS_METRICS_URL, metrics.registry, () => health),
    );
    closing.defer(() => server.close());
    const bundling = workflowBundle(log);
    bundling.catch(() => undefined);

    const index = openIndex(indexUrl(federation, env), { max: 16, applicationName: 'isthmus-worker' });
    closing.defer(() => index.close());
    await patiently('Connecting to the index', patience, () => index.pool.query('select 1'));
    health.postgres = 'ok';

    const { connectionOptions, namespace = 'default' } = temporalConfig(env);
    const connection = await patiently('Connecting to Temporal', patience, () => Connection.connect(connectionOptions));
    closing.defer(() => connection.close());
    const client = new Client({ connection, namespace });
    // Nothing of another's index is written.
    await patiently('Asking whose the workflows are', patience, () =>
      refuseOtherOwner(client, federation, () => readIndexOf(index, federation.account.name)),
    );
    const account = await patiently('Preparing the index', patience, async () => {
      const prepared = await prepareIndex(index, federation, 'the federation file, at a worker start');
      log.info({ revision: prepared.revision, rules: federation.rules.length }, 'The rules are live.');
      return prepared.account;
    });
    const services = openServices({
      federation,
      account,
      index,
      log,
      metrics,
      requestReconcile: (input) => requestReconcile(client, federation, input),
    });
    await patiently('Registering search attributes', patience, () => ensureSearchAttributes(client));
    await patiently('Making the schedules', patience, async () =>
      // What is made now is this federation's, and whoever made it meanwhile is told from it.
      ensureSchedules(client, federation, await readIndexOf(index, account.name)),
    );

    const native = await patiently('Connecting the worker', patience, () =>
      NativeConnection.connect(connectionOptions),
    );
    closing.defer(() => native.close());
    const activities = { ...createActivities(services) };
    const onSight = (part: 'postgres' | 'temporal', answers: boolean): void => {
      health[part] = answers ? 'ok' : 'waiting';
    };
    const beside = Promise.all([
      monitor(services, client, onSight, signal),
      keepLoops(client, federation, log, signal),
    ]);
    while (!signal.aborted) {
      health.worker = 'waiting';
      const bundle = await bundling;
      const worker = await patiently('Creating the worker', patience, () =>
        Worker.create({
          connection: native,
          namespace,
          taskQueue: taskQueueOf(federation.name),
          workflowBundle: bundle,
          activities,
          shutdownGraceTime: GRACE,
          shutdownForceTime: FORCE,
          maxConcurrentActivityTaskExecutions: 20,
          maxConcurrentWorkflowTaskExecutions: 10,
          maxCachedWorkflows: 100,
          // A pause reaches an activity in the answer to its heartbeat.
          maxHeartbeatThrottleInterval: '1s',
          defaultHeartbeatThrottleInterval: '1s',
          // A worker that was killed leaves its workflows to the next one after this.
          stickyQueueScheduleToStartTimeout: '3s',
        }),
      );
      health.temporal = 'ok';
      health.worker = 'ok';
      log.info({ taskQueue: taskQueueOf(federation.name), federation: federation.name }, 'The worker is at work.');
      await untilStopped(worker, signal, log);
    }
    await beside;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    health.worker = 'stopped';
    log.info('The worker stops.');
  }
}

async function untilStopped(worker: Worker, signal: AbortSignal, log: Logger): Promise<void> {
  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const running = worker.run();
    if (signal.aborted) stop();
    await running;
  } catch (error) {
    log.error({ err: error }, `The worker stopped by itself and starts again: ${messageOf(error)}`);
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
