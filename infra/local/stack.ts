import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { IsthmusError } from '../../schema/errors.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { loadFederation } from '../../schema/federation/load-federation.ts';
import { emulatorConnectionString } from './amqp/amqp-server.ts';
import type { ChildEvent, ChildSpec } from './child-spec.ts';
import { EVENTS_HUB, EVENTS_QUEUE, ensureFederation } from './default-federation.ts';
import { writeEnvFile } from './env-file.ts';
import type { HubOptions } from './event-hubs/event-hub.ts';
import { STACK_ENV, STACK_PROCESS, STATE_FOLDER } from './find-stack.ts';
import { describeOrigin, findTemporal } from './find-temporal.ts';
import { choosePorts, type StackPorts } from './ports.ts';
import { postgresSpec, postgresUrl, removeCluster } from './postgres.ts';
import { letThrough } from './postgres-binaries.ts';
import type { QueueOptions } from './service-bus/message-queue.ts';
import type { FeedOptions, Transport } from './services-options.ts';
import { servicesSpec } from './services-spec.ts';
import { lockState } from './stack-lock.ts';
import { ACCOUNT, connectionStringOn } from './storage/account.ts';
import { Supervisor } from './supervisor.ts';
import { temporalSpec } from './temporal.ts';
import { workerSpec } from './worker-spec.ts';

export interface StackOptions {
  /** Where everything is kept between runs. @default `.isthmus` in the working directory */
  readonly state?: string | undefined;
  /** Starts empty: what an earlier run kept is removed first. */
  readonly fresh?: boolean | undefined;
  /** Free ports, or which to move. @default the usual ones */
  readonly ports?: 'free' | Partial<StackPorts> | undefined;
  /** The federation file of the worker. @default one in the state folder, written where there is none */
  readonly config?: string | undefined;
  /** Whether the worker is started as well. @default false */
  readonly worker?: boolean | undefined;
  /** @default segments of an hour as in Azure, written every second */
  readonly feed?: FeedOptions | undefined;
  /** The account has a hierarchical namespace: directories, their events, and no feed. @default false */
  readonly hierarchical?: boolean | undefined;
  /** What Event Grid delivers to. @default 'service-bus' */
  readonly triggers?: Transport | undefined;
  /** @default 24 hours, as in Azure */
  readonly inventoryEveryMs?: number | undefined;
  /** How the queue of events behaves, where it is not as by default. */
  readonly queue?: Partial<Omit<QueueOptions, 'name'>> | undefined;
  /** Off only for what is thrown away afterwards. @default true */
  readonly fsync?: boolean | undefined;
  /** More children, stopped first, given the stack's environment. */
  readonly children?: ((env: Readonly<Record<string, string>>) => readonly ChildSpec[]) | undefined;
  /** Gives up the start: what runs already is stopped. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doing: string) => void) | undefined;
  readonly onEvent?: ((event: ChildEvent) => void) | undefined;
}

/** A stack that runs. Its children are `postgres`, `temporal`, `services` and `worker`. */
export interface Stack extends AsyncDisposable {
  /** What commands and clients need, by the names that other tools know. */
  readonly env: Readonly<Record<string, string>>;
  readonly ports: StackPorts;
  /** The state folder. */
  readonly state: string;
  /** How the Temporal server was had. */
  readonly temporal: string;
  /** Undefined while the child is down, or where there is none of this name. */
  pid(name: string): number | undefined;
  pids(): readonly number[];
  /** Whether the child has answered since its last start. */
  isUp(name: string): boolean;
  kill(name: string, signal: NodeJS.Signals): void;
  restarts(name: string): number;
  /** Resolves when no child is left. May be called more than once. */
  stop(): Promise<void>;
  /** SIGKILL to every child, for whoever will not wait for `stop`. */
  force(): void;
}

/** Locks last this long in the stack: a worker that was killed leaves its messages to another soon. */
const QUEUE: QueueOptions = { name: EVENTS_QUEUE, lockMs: 10_000, maxDeliveryCount: 100, duplicateWindowMs: 0 };
/** Four partitions: enough for readers to share, few enough to be seen. */
const HUB: HubOptions = { name: EVENTS_HUB, partitions: 4 };
const FEED: FeedOptions = { segmentMs: 3_600_000, flushMs: 1_000 };
const DAY_MS = 24 * 3_600_000;
const KEPT = ['postgres', 'temporal', 'storage', 'vast', 'logs'] as const;

/**
 * Starts the whole system on this machine: a real Postgres, a real Temporal server, and stand-ins for Blob
 * Storage and Service Bus or Event Hubs, each a supervised child; with `worker`, Isthmus's worker too.
 *
 * @throws ISTHMUS_PORT_IN_USE, ISTHMUS_NO_TEMPORAL, ISTHMUS_CONFIG, or the error of the child that does not start, with the end
 * of its log. Nothing is left running then.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { signal, onProgress = () => {} } = options;
  const state = path.resolve(options.state ?? STATE_FOLDER);
  await mkdir(state, { recursive: true });
  // Postgres runs as another user then, with its data in here.
  if (process.getuid?.() === 0) await letThrough(state);
  const lock = await lockState(path.join(state, 'stack.lock'));
  const supervisor = new Supervisor(options.onEvent);
  const envFile = path.join(state, STACK_ENV);
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    await rm(envFile, { force: true });
    await lock.release();
  };
  const giveUp = (): void => void supervisor.stop();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    signal?.throwIfAborted();
    const ports = await choosePorts(options.ports);
    const found = await findTemporal({ onProgress, signal });
    const temporal = describeOrigin(found);
    const config = options.config === undefined ? path.join(state, 'federation.yaml') : path.resolve(options.config);
    const { triggers = 'service-bus', hierarchical = false, fresh = false } = options;
    const origin =
      options.config === undefined ? await ensureFederation(config, { hierarchical, triggers, fresh }) : 'given';
    const env = stackEnv(state, ports, config, triggers);
    if (options.worker) {
      // With the addresses of all transports: else one that does not run would be told as a variable that is missing.
      const every = stackEnv(state, ports, config, 'both');
      const { account, sources } = await loadFederation(config, { ...process.env, ...every });
      refuseOtherKind({ config, origin }, account.hierarchical, hierarchical);
      refuseOtherTransport({ config, origin }, sources, triggers);
    }
    if (fresh) await removeKept(state);
    await Promise.all(
      ['logs', 'storage', 'vast'].map((folder) => mkdir(path.join(state, folder), { recursive: true })),
    );
    const log = (name: string): string => path.join(state, 'logs', `${name}.log`);

    onProgress(`starting (Temporal: ${temporal})`);
    const base = supervisor.start(
      await postgresSpec({
        dataDir: path.join(state, 'postgres'),
        port: ports.postgres,
        log: log('postgres'),
        fsync: options.fsync,
      }),
      await temporalSpec({
        binary: found.path,
        port: ports.temporal,
        uiPort: ports.temporalUi,
        database: path.join(state, 'temporal', 'temporal.db'),
        log: log('temporal'),
      }),
      servicesSpec(
        {
          blobPort: ports.blob,
          azuritePort: ports.azurite,
          controlPort: ports.control,
          serviceBusPort: ports.serviceBus,
          eventHubsPort: ports.eventHubs,
          triggers,
          folder: path.join(state, 'storage'),
          feed: options.feed ?? FEED,
          hierarchical,
          queue: { ...QUEUE, ...options.queue },
          hub: HUB,
          inventoryEveryMs: options.inventoryEveryMs ?? DAY_MS,
        },
        log('services'),
      ),
    );
    // The worker waits by itself for what it needs: most of its start is its own.
    const workers = options.worker ? [workerSpec(env, log('worker'))] : [];
    await Promise.all([base, supervisor.start(...workers, ...(options.children?.(env) ?? []))]);
    signal?.throwIfAborted();
    await writeEnvFile(envFile, { ...env, [STACK_PROCESS]: lock.owner });
    return {
      env,
      ports,
      state,
      temporal,
      pid: (name) => supervisor.pid(name),
      pids: () => supervisor.pids(),
      isUp: (name) => supervisor.isUp(name),
      kill: (name, killSignal) => supervisor.kill(name, killSignal),
      restarts: (name) => supervisor.restarts(name),
      stop,
      force: () => supervisor.force(),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** A federation file of the stack, and whose it is. */
interface StackFederation {
  readonly config: string;
  readonly origin: 'given' | 'as-written' | 'edited';
}

/** The stack and the file must agree on what kind of account it is. */
function refuseOtherKind(federation: StackFederation, says: boolean, runs: boolean): void {
  if (says === runs) return;
  const mend = mendOf(federation, `start ${says ? 'with' : 'without'} --hierarchical`);
  throw new IsthmusError('ISTHMUS_CONFIG', `account.hierarchical is ${says} in ${federation.config}: ${mend}`);
}

/** A transport that nobody reads would fill; one that nothing is sent to would look silent. */
function refuseOtherTransport(
  federation: StackFederation,
  { serviceBus, eventHubs }: Federation['sources'],
  runs: Transport,
): void {
  const says = serviceBus === undefined ? 'event-hubs' : eventHubs === undefined ? 'service-bus' : 'both';
  if (says === runs || (serviceBus === undefined && eventHubs === undefined)) return;
  const mend = mendOf(federation, `start with --triggers ${says}`);
  throw new IsthmusError(
    'ISTHMUS_CONFIG',
    `The triggers in ${federation.config} are ${says}, and ${runs} is to run: ${mend}`,
  );
}

/** What can be done where the file and the options of the start contradict each other. */
function mendOf({ config, origin }: StackFederation, start: string): string {
  switch (origin) {
    case 'given':
      return `${start}, or change ${config}`;
    case 'as-written':
      return `${start}, empty all of it with --fresh, or take another folder with --state`;
    case 'edited':
      return `${start}, change ${config}, or take another folder with --state`;
  }
}

function stackEnv(state: string, ports: StackPorts, config: string, triggers: Transport): Record<string, string> {
  return {
    AZURE_STORAGE_CONNECTION_STRING: connectionStringOn(ports.blob),
    AZURE_STORAGE_ACCOUNT: ACCOUNT,
    ...(triggers === 'event-hubs'
      ? {}
      : { AZURE_SERVICEBUS_CONNECTION_STRING: emulatorConnectionString(ports.serviceBus) }),
    ...(triggers === 'service-bus'
      ? {}
      : { AZURE_EVENTHUBS_CONNECTION_STRING: emulatorConnectionString(ports.eventHubs) }),
    DATABASE_URL: postgresUrl({ port: ports.postgres }),
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_UI_URL: `http://127.0.0.1:${ports.temporalUi}`,
    ISTHMUS_CONFIG: config,
    ISTHMUS_METRICS_URL: `http://127.0.0.1:${ports.metrics}`,
    ISTHMUS_CONTROL_URL: `http://127.0.0.1:${ports.control}`,
    ISTHMUS_VAST_ROOT: path.join(state, 'vast'),
  };
}

/** Only what a stack itself keeps there; the federation file stays. */
async function removeKept(state: string): Promise<void> {
  await removeCluster(path.join(state, 'postgres'));
  await Promise.all(KEPT.map((name) => rm(path.join(state, name), { recursive: true, force: true })));
}
