import { randomUUID } from 'node:crypto';
import type { BlobServiceClient } from '@azure/storage-blob';
import type { EventGridEvent } from './event-grid-event.ts';

/** The container that undelivered events go to; a subscription of Azure names its own. */
export const DEAD_LETTER_CONTAINER = 'dead-letters';
const GATHERS_MS = 100;

interface Waiting {
  readonly event: EventGridEvent;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Writes events that were not delivered as Event Grid does: some at a time, as a JSON array, with what became of them. */
export class DeadLetterWriter {
  readonly #account: () => BlobServiceClient;
  readonly #now: () => number;
  #waiting: Waiting[] = [];

  constructor(account: () => BlobServiceClient, now: () => number) {
    this.#account = account;
    this.#now = now;
  }

  /** Whether the event tells of such a blob itself: Event Grid delivers that one, or it would go on for ever. */
  static isOwn(event: EventGridEvent): boolean {
    return event.subject.startsWith(`/blobServices/default/containers/${DEAD_LETTER_CONTAINER}/`);
  }

  /** Resolves when the blob that holds it is written. */
  write(event: EventGridEvent): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ event, done, failed });
      if (this.#waiting.length === 1) setTimeout(() => void this.#flush(), GATHERS_MS);
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#put(batch.map(({ event }) => event));
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }

  async #put(events: readonly EventGridEvent[]): Promise<void> {
    const time = new Date(this.#now());
    const dead = events.map((event) => ({
      ...event,
      deadLetterReason: 'MaxDeliveryAttemptsExceeded',
      deliveryAttempts: 30,
      lastDeliveryOutcome: 'NotFound',
      publishTime: event.eventTime,
      lastDeliveryAttemptTime: time.toISOString(),
    }));
    const hour = [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCDate(), time.getUTCHours()].join('/');
    const container = this.#account().getContainerClient(DEAD_LETTER_CONTAINER);
    await container.createIfNotExists();
    const body = JSON.stringify(dead);
    const blob = container.getBlockBlobClient(`isthmus/ISTHMUS/${hour}/${randomUUID()}.json`);
    await blob.upload(body, Buffer.byteLength(body), { blobHTTPHeaders: { blobContentType: 'application/json' } });
  }
}
