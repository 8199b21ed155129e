import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { IsthmusError } from '../../../schema/errors.ts';
import type { Clock } from '../../../schema/ports/clock.ts';
import { connectionStringOn, endpointOn, FEED_CONTAINER } from './account.ts';
import { AZURITE_ENDS_WITHIN_MS, AzuriteProcess } from './azurite-process.ts';
import { ContainerRegistry } from './container-registry.ts';
import { startControlServer } from './control-server.ts';
import { DEAD_LETTER_CONTAINER, DeadLetterWriter } from './events/dead-letter-writer.ts';
import type { EventGridEvent } from './events/event-grid-event.ts';
import { PublishedLog } from './events/published-log.ts';
import { TriggerPump, type TriggerState } from './events/trigger-pump.ts';
import { FaultSwitches } from './faults.ts';
import { FeedFiles } from './feed/feed-files.ts';
import { FeedSchedule } from './feed/feed-schedule.ts';
import type { StoredFeedState } from './feed/feed-state.ts';
import { FeedWriter } from './feed/feed-writer.ts';
import { MOST_SHARDS } from './feed/shard.ts';
import { ChangeRecorder } from './front/change-recorder.ts';
import { Directories } from './front/directories.ts';
import { StorageFront } from './front/storage-front.ts';
import { Upstream } from './front/upstream.ts';
import { Inventory, REPORT_CONTAINER } from './inventory/inventory.ts';
import { Journal } from './journal.ts';
import { Locks } from './locks.ts';
import { SequencerSource } from './sequencer-source.ts';
import { StateFile } from './state-file.ts';
import { refuseTakenPort } from './taken-port.ts';

/** How long Azure refuses the name of a deleted container, at least. */
const AZURE_NAME_HOLD_MS = 30_000;
const MINUTE = 60_000;
/** An append blob takes 50,000 appends; its size is not what ends a chunk. */
const CHUNK = { appends: 49_000, bytes: Number.MAX_SAFE_INTEGER } as const;

export interface StorageOptions {
  /** The advertised port of Blob Storage; 0 for any. */
  readonly port: number;
  /** Where the Azurite behind it listens. */
  readonly azuritePort: number;
  /** A folder for Azurite's data; undefined keeps the blobs in memory. */
  readonly location?: string | undefined;
  /** 0 for any. */
  readonly controlPort: number;
  readonly feed: {
    /** Length of a segment: whole minutes. */
    readonly segmentMs: number;
    readonly flushMs: number;
    /** Of the segments that open from now on. @default 1 */
    readonly shards?: number | undefined;
    /** When a chunk is full and the next one begins. @default what an append blob takes */
    readonly chunk?: { readonly appends?: number | undefined; readonly bytes?: number | undefined } | undefined;
  };
  /** As an account with a hierarchical namespace: directories, events in their form, and no feed. @default false */
  readonly hierarchical?: boolean | undefined;
  /** Delivers one event; a rejection is tried again. */
  readonly publish: (event: EventGridEvent) => Promise<void>;
  readonly clock: Clock;
  /** Keeps what is not published or written yet over restarts; undefined: a temporary folder that goes with the stop. */
  readonly stateDir?: string | undefined;
  /** A report every so many milliseconds; none where left out. */
  readonly inventoryEveryMs?: number | undefined;
  /** @default 30,000 */
  readonly containerNameHoldMs?: number | undefined;
  readonly random?: (() => number) | undefined;
  /** Told when Azurite dies; it is started again. */
  readonly onAzuriteDeath?: ((reason: string) => void) | undefined;
}

export interface RunningStorage {
  readonly endpoint: string;
  readonly connectionString: string;
  readonly controlUrl: string;
  /** Ends requests, writes the feed out, and stops Azurite. */
  stop(): Promise<void>;
}

/**
 * Starts Blob Storage as Azure has it: Azurite, and before it the front that tells Event Grid, writes the Change
 * Feed and runs the inventory. Throws `ISTHMUS_PORT_IN_USE`, `ISTHMUS_USAGE`.
 */
export async function startStorage(options: StorageOptions): Promise<RunningStorage> {
  const { segmentMs, flushMs, shards = 1, chunk } = options.feed;
  if (segmentMs < MINUTE || segmentMs % MINUTE !== 0) {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `a feed segment is whole minutes long, not ${segmentMs} ms: paths name minutes`,
    );
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > MOST_SHARDS) {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `a feed has 1 to ${MOST_SHARDS} shards, not ${shards}: two digits name one`,
    );
  }
  await refuseTakenPort(options.port, 'Blob Storage');
  await refuseTakenPort(options.azuritePort, 'Azurite', options.stateDir === undefined ? 0 : AZURITE_ENDS_WITHIN_MS);
  await refuseTakenPort(options.controlPort, 'the control API');
  await using started = new AsyncDisposableStack();
  const { clock } = options;
  const random = options.random ?? Math.random;
  const dir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'isthmus-storage-')));
  await mkdir(dir, { recursive: true });
  if (options.stateDir === undefined) started.defer(() => rm(dir, { recursive: true, force: true }));

  const azurite = await AzuriteProcess.start({
    port: options.azuritePort,
    location: options.location,
    onDeath: (reason) => options.onAzuriteDeath?.(reason),
  });
  started.defer(() => azurite.stop());
  const journal = await Journal.open(join(dir, 'journal.jsonl'));
  started.defer(() => journal.close());
  const sequencers = new SequencerSource(clock, journal.lastTicks);
  const holdMs = options.containerNameHoldMs ?? AZURE_NAME_HOLD_MS;
  const containers = await ContainerRegistry.open(join(dir, 'containers.json'), { clock, sequencers, holdMs });
  const faults = new FaultSwitches(random);

  const azuriteAccount = BlobServiceClient.fromConnectionString(connectionStringOn(options.azuritePort));
  const hierarchical = options.hierarchical === true;
  const feed = hierarchical
    ? undefined
    : new FeedWriter({
        files: new FeedFiles(azuriteAccount.getContainerClient(FEED_CONTAINER)),
        journal,
        state: new StateFile<StoredFeedState>(join(dir, 'feed.json')),
        faults,
        clock,
        segmentMs,
        shards,
        chunk: { appends: chunk?.appends ?? CHUNK.appends, bytes: chunk?.bytes ?? CHUNK.bytes },
      });
  await feed?.open();
  const schedule = feed && new FeedSchedule(feed, flushMs);
  started.defer(() => schedule?.stop());

  const upstream = new Upstream(options.azuritePort);
  const recorder = new ChangeRecorder({ locks: new Locks(), containers, journal, sequencers, upstream });
  const front = new StorageFront({ upstream, recorder, faults, hierarchical });
  const origin = () => `http://127.0.0.1:${port}`;
  const directories = hierarchical
    ? new Directories({ azurite: azuriteAccount, recorder, journal, sequencers, origin })
    : undefined;
  const published = new PublishedLog(join(dir, 'published.jsonl'));
  started.defer(() => published.close());
  const triggers = new TriggerPump({
    journal,
    publish: options.publish,
    deadLetters: new DeadLetterWriter(
      () => BlobServiceClient.fromConnectionString(connectionStringOn(servicePort)),
      () => clock.now(),
    ),
    state: new StateFile<TriggerState>(join(dir, 'triggers.json')),
    log: published,
    faults,
    clock,
    random,
    origin,
    hierarchical,
  });
  started.defer(() => triggers.stop());
  started.defer(() => front.close());
  const port = await front.listen(options.port, true);
  // The service's own writes (reports) are changes as any, and no switch for clients' requests stops them.
  const servicePort = await front.listen(0, false);
  await triggers.start();

  const inventory = new Inventory(
    {
      account: BlobServiceClient.fromConnectionString(connectionStringOn(servicePort)),
      endpoint: endpointOn(port),
      now: () => clock.now(),
      random,
      stopped: () => faults.current.inventory.stop,
    },
    (event) => journal.append(event),
  );
  started.defer(() => inventory.stop());
  if (options.inventoryEveryMs !== undefined) {
    const account = BlobServiceClient.fromConnectionString(connectionStringOn(servicePort));
    // Azure takes neither an inventory rule nor a subscription before there is the container that it is to write to.
    for (const name of [REPORT_CONTAINER, DEAD_LETTER_CONTAINER]) {
      await account.getContainerClient(name).createIfNotExists();
    }
    inventory.schedule(options.inventoryEveryMs);
  }

  const control = await startControlServer(options.controlPort, {
    faults,
    feed,
    triggers,
    inventory,
    directories,
    state: () => ({
      pendingTriggers: triggers.pending,
      pendingFeedRecords: feed?.pending ?? 0,
      published: triggers.published,
      dropped: triggers.dropped,
      deadLettered: triggers.deadLettered,
      changes: journal.length,
      feed: { openSegment: feed?.openSegment ?? null, error: schedule?.lastError ?? null },
      triggers: { error: triggers.lastError ?? null },
      azurite: { pid: azurite.pid ?? null, restarts: azurite.restarts },
      faults: faults.current,
    }),
  });
  started.defer(() => control.server.close());
  const stack = started.move();
  return {
    endpoint: endpointOn(port),
    connectionString: connectionStringOn(port),
    controlUrl: control.url,
    stop: () => stack.disposeAsync(),
  };
}
