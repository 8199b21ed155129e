import type { EventHubConsumerClient, Subscription } from '@azure/event-hubs';
import { type EventHubsSource, eventHubsClient } from './event-hubs-client.ts';
import { within } from './within.ts';

/** A client that cannot connect may take its whole time limit to close. */
const CLOSE_MS = 1_000;

export interface HubAnswer {
  readonly partitions: number;
}

/**
 * Asks an event hub for its partitions, and opens the first of them in the consumer group, at its end: that both are there and may be read.
 * Nothing is taken from anybody by it: it has no owner level, no checkpoint, and asks for no event.
 *
 * @throws the client's error.
 */
export async function askHub(source: EventHubsSource, signal: AbortSignal): Promise<HubAnswer> {
  const client = eventHubsClient(source);
  try {
    const partitions = await client.getPartitionIds({ abortSignal: signal });
    const [first] = partitions;
    if (first !== undefined) await openPartition(client, first, signal);
    return { partitions: partitions.length };
  } finally {
    await within(CLOSE_MS, client.close());
  }
}

async function openPartition(client: EventHubConsumerClient, partition: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  let subscription: Subscription | undefined;
  try {
    subscription = client.subscribe(
      partition,
      {
        // Without an event too, once the link is open and a second has passed.
        processEvents: async () => resolve(),
        processError: async (error) => (isTaken(error) ? resolve() : reject(error)),
      },
      { startPosition: { enqueuedOn: new Date() }, maxBatchSize: 1, maxWaitTimeInSeconds: 1, prefetchCount: 1 },
    );
    await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    if (subscription !== undefined) await within(CLOSE_MS, subscription.close());
  }
}

/** A worker reads the partition with an owner level already, which keeps everybody else out: so it can be read. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ReceiverDisconnectedError';
}
