import { hostname } from 'node:os';
import { type CheckpointStore, EventHubConsumerClient } from '@azure/event-hubs';
import { DefaultAzureCredential } from '@azure/identity';
import type { HubName } from '../../schema/index/event-hub-partitions.ts';

/** An event hub and how it is reached: by a connection string or a namespace. */
export interface EventHubsSource {
  readonly eventHub: string;
  readonly consumerGroup: string;
  readonly connectionString?: string | undefined;
  /** `NAME.servicebus.windows.net`, by `DefaultAzureCredential`. */
  readonly namespace?: string | undefined;
}

const OPTIONS = {
  retryOptions: { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 5_000, timeoutInMs: 10_000 },
  loadBalancingOptions: {
    // Its fair share at once, where `balanced` would claim one partition in each round.
    strategy: 'greedy',
    /** A reader that came or went is made up for within this. */
    updateIntervalInMs: 2_000,
    /** One that died, within this; Azure's minute would let triggers lie for longer than silence may last. */
    partitionOwnershipExpirationIntervalInMs: 15_000,
  },
} as const;

/** @param store lets the client balance partitions over all that read the hub; without it only properties are asked. */
export function eventHubsClient(source: EventHubsSource, store?: CheckpointStore): EventHubConsumerClient {
  const { eventHub, consumerGroup, connectionString, namespace = '' } = source;
  // Shown in Azure's own logs and in the index, as the partition's owner.
  const options = { ...OPTIONS, identifier: `isthmus/${hostname()}/${process.pid}/${crypto.randomUUID().slice(0, 8)}` };
  if (connectionString !== undefined) {
    return store === undefined
      ? new EventHubConsumerClient(consumerGroup, connectionString, eventHub, options)
      : new EventHubConsumerClient(consumerGroup, connectionString, eventHub, store, options);
  }
  const credential = new DefaultAzureCredential();
  return store === undefined
    ? new EventHubConsumerClient(consumerGroup, namespace, eventHub, credential, options)
    : new EventHubConsumerClient(consumerGroup, namespace, eventHub, credential, store, options);
}

/** By what the index knows the hub: as the client itself names it. */
export function hubNameOf(client: EventHubConsumerClient, { consumerGroup }: EventHubsSource): HubName {
  return { namespace: client.fullyQualifiedNamespace, eventHub: client.eventHubName, consumerGroup };
}
