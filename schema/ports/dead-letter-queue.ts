import type { Timestamp } from '../../namespace/entry.ts';

/** A message in the dead-letter queue of the queue that triggers come from. */
export interface QueuedDeadLetter {
  /** Its place in the dead-letter queue, in decimal digits: up to 64 bits. Of another message, ever, another one. */
  readonly sequence: string;
  readonly messageId: string;
  /** As a receiver of triggers is handed it. */
  readonly body: unknown;
  /** When it was put into the queue that it was dead-lettered from, or into this one: as the service keeps it. */
  readonly enqueuedAt: Timestamp;
  readonly reason: string;
  readonly description: string;
  /** How often a receiver was handed it, before it was a dead letter: also by the delivery that made it one. */
  readonly deliveryCount: number;
}

/** A dead letter under a lock. Where nothing is done with it, it stays. */
export interface HeldDeadLetter {
  readonly letter: QueuedDeadLetter;
  /**
   * Sends it to the queue again, and takes it out of the dead letters once that was accepted.
   *
   * @returns `sent-and-kept` where its lock was lost meanwhile: it is in both, which is harmless.
   */
  requeue(): Promise<'requeued' | 'sent-and-kept'>;
  /** Takes it out of the dead letters for good. @returns `kept` where its lock was lost meanwhile. */
  remove(): Promise<'removed' | 'kept'>;
}

/** The dead letters of one queue. Every method throws `ISTHMUS_SOURCE_UNAVAILABLE` where the service does not answer. */
export interface DeadLetterQueue {
  /** Every one in order, without locking it: those that somebody holds among them. Bounded memory. */
  list(signal: AbortSignal): AsyncIterable<QueuedDeadLetter>;
  /** One, without locking it; undefined where it is not there any more. */
  find(sequence: string, signal: AbortSignal): Promise<QueuedDeadLetter | undefined>;
  /**
   * Locks these, one after the other, for as long as the work with each takes. An abort ends it between two.
   *
   * @returns those that could not be had: they are gone, or somebody else holds them.
   */
  take(
    sequences: ReadonlySet<string>,
    work: (held: HeldDeadLetter) => Promise<void>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}
