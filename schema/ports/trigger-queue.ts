import type { Timestamp } from '../../namespace/entry.ts';

/** A message under a peek-lock. Its body is whatever the sender put there: object, string, bytes. */
export interface TriggerMessage {
  readonly id: string;
  readonly body: unknown;
  readonly enqueuedAt: Timestamp;
  readonly deliveryCount: number;
}

/** A queue that Event Grid delivers to. Messages are settled only after the transaction that holds their effect (invariant 4). */
export interface TriggerQueue {
  /** Waits up to `waitMs` for the first message, then takes what is there, at most `max`. */
  receive(max: number, waitMs: number, signal: AbortSignal): Promise<readonly TriggerMessage[]>;
  /** A lock lost meanwhile is no error: the message comes again and changes nothing. */
  complete(messages: readonly TriggerMessage[]): Promise<void>;
  abandon(messages: readonly TriggerMessage[]): Promise<void>;
  deadLetter(message: TriggerMessage, reason: string, description: string): Promise<void>;
  /** When the oldest message that is not settled was enqueued; undefined where the queue is empty. */
  oldest(): Promise<Timestamp | undefined>;
  close(): Promise<void>;
}
