import type { Timestamp } from '../../namespace/entry.ts';
import type { Tx } from '../index/database.ts';

/** A message that this process holds: under a peek-lock, or of a partition that it reads. Its body is whatever the sender put there: object, string, bytes. */
export interface TriggerMessage {
  readonly id: string;
  readonly body: unknown;
  readonly enqueuedAt: Timestamp;
  readonly deliveryCount: number;
}

/** A message that can never be applied, and why. */
export interface RefusedMessage {
  readonly message: TriggerMessage;
  readonly reason: string;
  readonly description: string;
}

/** What Event Grid delivers to. Messages are settled only after the transaction that holds their effect (invariant 4). */
export interface TriggerQueue {
  /** Waits up to `waitMs` for the first message, then takes what is there, at most `max`. */
  receive(max: number, waitMs: number, signal: AbortSignal): Promise<readonly TriggerMessage[]>;
  /**
   * Called in the transaction that applies the messages, where the transport keeps its place with us instead of with
   * a broker: moves that place by compare-and-set (invariant 3) and keeps what was refused as dead letters. After
   * the commit all of them are completed, and none is dead-lettered any more.
   *
   * @param messages all of a batch, the refused among them, in the order in which they were received.
   * @throws TriggersLost where another one has taken them meanwhile: the transaction is rolled back, and these
   * messages are nobody's here any more.
   */
  commit?(tx: Tx, messages: readonly TriggerMessage[], refused: readonly RefusedMessage[]): Promise<void>;
  /** A lock lost meanwhile is no error: the message comes again and changes nothing. */
  complete(messages: readonly TriggerMessage[]): Promise<void>;
  abandon(messages: readonly TriggerMessage[]): Promise<void>;
  deadLetter(message: TriggerMessage, reason: string, description: string): Promise<void>;
  /** When the oldest message that is not settled was enqueued; undefined where the queue is empty. */
  oldest(): Promise<Timestamp | undefined>;
  close(): Promise<void>;
}

/** Somebody else has taken these messages: what this process holds of them is dropped, without a word to anybody. */
export class TriggersLost extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TriggersLost';
  }
}
