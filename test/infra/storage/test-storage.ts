import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import getPort from 'get-port';
import { StorageControl } from '../../../infra/local/storage/control-client.ts';
import type { EventGridEvent } from '../../../infra/local/storage/events/event-grid-event.ts';
import { type StorageOptions, startStorage } from '../../../infra/local/storage/start-storage.ts';
import type { Clock } from '../../../schema/ports/clock.ts';

/** The machine's clock, or one that stands where a test puts it. */
class TestClock implements Clock {
  #fixed: number | undefined;
  #sleeps = 0;

  /** How often somebody has slept by it. */
  get sleeps(): number {
    return this.#sleeps;
  }

  set(time: string): void {
    this.#fixed = Date.parse(time);
  }

  now(): number {
    return this.#fixed ?? Date.now();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) =>
      setTimeout(() => {
        this.#sleeps++;
        resolve();
      }, ms),
    );
  }
}

export interface TestStorage extends AsyncDisposable {
  readonly account: BlobServiceClient;
  /** Past the front, to compare. */
  readonly azurite: BlobServiceClient;
  readonly connectionString: string;
  readonly endpoint: string;
  readonly control: StorageControl;
  readonly clock: TestClock;
  /** What was published, in the order of its publication. */
  readonly events: EventGridEvent[];
  container(name: string): Promise<ContainerClient>;
  /** Resolves when every change is published and in the feed. */
  settled(): Promise<void>;
}

/** A storage front with its Azurite on free ports, in memory unless told otherwise. */
export async function startTestStorage(options: Partial<StorageOptions> = {}): Promise<TestStorage> {
  const events: EventGridEvent[] = [];
  const clock = new TestClock();
  const azuritePort = await getPort();
  const storage = await startStorage({
    port: 0,
    azuritePort,
    controlPort: 0,
    feed: { segmentMs: 3_600_000, flushMs: 100 },
    publish: async (event) => void events.push(event),
    clock,
    ...options,
  });
  const control = new StorageControl(storage.controlUrl);
  const account = BlobServiceClient.fromConnectionString(storage.connectionString);
  const port = new URL(storage.endpoint).port;
  return {
    account,
    azurite: BlobServiceClient.fromConnectionString(storage.connectionString.replace(`:${port}/`, `:${azuritePort}/`)),
    connectionString: storage.connectionString,
    endpoint: storage.endpoint,
    control,
    clock,
    events,
    container: async (name) => {
      const container = account.getContainerClient(name);
      await container.create();
      return container;
    },
    settled: () =>
      eventually(async () => {
        const { pendingTriggers, pendingFeedRecords } = await control.state();
        if (pendingTriggers + pendingFeedRecords > 0)
          throw new Error(`${pendingTriggers} + ${pendingFeedRecords} pending`);
      }),
    [Symbol.asyncDispose]: () => storage.stop(),
  };
}

/** Tries until it does not throw, for longer than any machine needs. */
export async function eventually<T>(attempt: () => Promise<T>, withinMs = 60_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
