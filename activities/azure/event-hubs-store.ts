import type { Checkpoint, CheckpointStore, PartitionOwnership } from '@azure/event-hubs';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { Queryable } from '../../schema/index/database.ts';
import {
  claimHubPartition,
  type HubName,
  type HubPartition,
  type HubPlace,
  readHubPartitions,
  releaseHubPartition,
} from '../../schema/index/event-hub-partitions.ts';

/** The index did not answer the client's load balancer, which tries again; the hub is not to blame. */
export class StoreError extends IsthmusError {
  constructor(cause: unknown) {
    super('ISTHMUS_INDEX_UNAVAILABLE', `partitions of an event hub: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Where Azure's client keeps who owns which partition, and learns where to begin. It never keeps a place by itself:
 * that moves in the transaction that applies the events (invariants 3 and 4).
 */
export class EventHubsStore implements CheckpointStore {
  readonly #on: Queryable;
  readonly #accountId: number;
  readonly #begun = new Map<string, HubPlace>();

  constructor(on: Queryable, accountId: number) {
    this.#on = on;
    this.#accountId = accountId;
  }

  /** The place that the client was last told to begin a partition after. */
  begunAfter(partition: string): HubPlace | undefined {
    return this.#begun.get(partition);
  }

  async listOwnership(namespace: string, eventHub: string, consumerGroup: string): Promise<PartitionOwnership[]> {
    const hub = { namespace, eventHub, consumerGroup };
    const now = Date.now();
    return (await this.#read(hub)).map(({ partition, owner, version, ownedForMs }) => ({
      ...ofHub(hub, partition),
      ownerId: owner,
      etag: String(version),
      // The client holds it against this machine's clock, the index had only its own.
      lastModifiedTimeInMs: now - ownedForMs,
    }));
  }

  async claimOwnership(claims: PartitionOwnership[]): Promise<PartitionOwnership[]> {
    const claimed = await Promise.all(
      claims.map(async (claim) => {
        const { fullyQualifiedNamespace: namespace, eventHubName: eventHub, consumerGroup } = claim;
        const from = claim.etag === undefined ? undefined : Number(claim.etag);
        const { partitionId: partition, ownerId: owner } = claim;
        const hub = { namespace, eventHub, consumerGroup };
        const version = await told(claimHubPartition(this.#on, this.#accountId, hub, { partition, owner, from }));
        if (version === undefined) return [];
        return [{ ...claim, etag: String(version), lastModifiedTimeInMs: Date.now() }];
      }),
    );
    return claimed.flat();
  }

  async listCheckpoints(namespace: string, eventHub: string, consumerGroup: string): Promise<Checkpoint[]> {
    const hub = { namespace, eventHub, consumerGroup };
    return (await this.#read(hub)).flatMap(({ partition, place }) => {
      if (place === undefined) {
        this.#begun.delete(partition);
        return [];
      }
      this.#begun.set(partition, place);
      return [{ ...ofHub(hub, partition), offset: place.offset, sequenceNumber: place.sequence }];
    });
  }

  updateCheckpoint(): Promise<void> {
    throw new IsthmusError('ISTHMUS_ASSERTION', 'an offset moves with the effect of its events, never by itself');
  }

  /** Gives a partition up, so that whoever balances next takes it at once: its owner does not read it any more. */
  async release(hub: HubName, partition: string, owner: string): Promise<void> {
    await told(releaseHubPartition(this.#on, this.#accountId, hub, { partition, owner }));
  }

  #read(hub: HubName): Promise<readonly HubPartition[]> {
    return told(readHubPartitions(this.#on, this.#accountId, hub));
  }
}

function ofHub({ namespace, eventHub, consumerGroup }: HubName, partitionId: string) {
  return { fullyQualifiedNamespace: namespace, eventHubName: eventHub, consumerGroup, partitionId };
}

async function told<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw new StoreError(error);
  }
}
