import type { Message } from 'rhea';
import { newLockToken } from './lock-token.ts';
import { Ready } from './ready.ts';

/** How a queue behaves, in Service Bus's own terms. */
export interface QueueOptions {
  readonly name: string;
  /** How long a peek-lock holds. */
  readonly lockMs: number;
  /** A message that was delivered this often without being completed goes to the dead-letter queue. */
  readonly maxDeliveryCount: number;
  /** A message id seen within this time is dropped; 0 turns duplicate detection off. */
  readonly duplicateWindowMs: number;
}

/** One message of a queue. `content` is what the sender sent; the broker's own annotations are added on delivery. */
export interface StoredMessage {
  readonly sequence: number;
  readonly enqueuedAt: number;
  readonly content: Message;
  /** The queue that it was dead-lettered from. */
  readonly deadLetterSource: string | undefined;
  deliveryCount: number;
  deferred: boolean;
}

/** A message under a lock. */
export interface LockedMessage {
  readonly token: Buffer;
  readonly message: StoredMessage;
  lockedUntil: number;
}

export interface QueueState {
  readonly active: number;
  readonly locked: number;
  readonly deferred: number;
  readonly deadLettered: number;
  /** Since the broker started. */
  readonly enqueued: number;
  readonly completed: number;
  readonly duplicates: number;
  /** When the oldest message that is not settled was enqueued, in milliseconds since 1970. */
  readonly oldest: number | undefined;
}

/** What a queue tells as it happens, so that it can be kept on disk. */
export interface QueueLog {
  /** A new message, or one whose properties have changed. */
  enqueued(queue: string, message: StoredMessage): void;
  delivered(queue: string, message: StoredMessage): void;
  settled(queue: string, sequence: number): void;
}

/** Why a settlement was refused: the lock has run out, or was never given. */
export type Settlement = 'settled' | 'lock-lost';

/**
 * A Service Bus queue: peek-lock, lock expiry, delivery count, deferral, duplicate detection and a dead-letter
 * queue. No I/O and no timers: every call is given the time.
 *
 * Maintained invariant: a message that is neither completed nor dead-lettered is in exactly one of ready, locked
 * and deferred. It comes again, with a higher delivery count, when its lock runs out.
 */
export class MessageQueue {
  readonly options: QueueOptions;
  readonly deadLetters: MessageQueue | undefined;
  readonly #log: QueueLog;
  readonly #messages = new Map<number, StoredMessage>();
  readonly #ready = new Ready();
  /** In the order in which they run out: every lock lasts equally long, and a renewed one moves to the end. */
  readonly #locks = new Map<string, LockedMessage>();
  readonly #seen = new Map<string, number>();
  readonly #deferred = new Set<number>();
  #nextSequence = 1;
  #enqueued = 0;
  #completed = 0;
  #duplicates = 0;

  constructor(options: QueueOptions, log: QueueLog, hasDeadLetters = true) {
    this.options = options;
    this.#log = log;
    this.deadLetters = hasDeadLetters
      ? new MessageQueue(
          {
            ...options,
            name: `${options.name}/$DeadLetterQueue`,
            maxDeliveryCount: Number.POSITIVE_INFINITY,
            duplicateWindowMs: 0,
          },
          log,
          false,
        )
      : undefined;
  }

  /** Puts a message at the end of the queue. @returns `duplicate` where its id was seen within the window: it is dropped, as Service Bus does. */
  enqueue(content: Message, now: number, deadLetterSource?: string, deliveryCount = 0): 'enqueued' | 'duplicate' {
    if (this.#isDuplicate(content, now)) {
      this.#duplicates++;
      return 'duplicate';
    }
    const sequence = this.#nextSequence++;
    const message = { sequence, enqueuedAt: now, content, deadLetterSource, deliveryCount, deferred: false };
    this.#messages.set(sequence, message);
    this.#ready.add(sequence);
    this.#enqueued++;
    this.#log.enqueued(this.options.name, message);
    return 'enqueued';
  }

  /** Puts back a message that was kept on disk. Its lock, if it had one, is over. */
  restore(message: StoredMessage): void {
    this.#messages.set(message.sequence, message);
    this.#nextSequence = Math.max(this.#nextSequence, message.sequence + 1);
    if (message.deferred) this.#deferred.add(message.sequence);
    else this.#ready.add(message.sequence);
  }

  /** Locks the oldest message that is ready. */
  lock(now: number): LockedMessage | undefined {
    const message = this.#takeReady();
    return message && this.#lock(message, now);
  }

  /** Takes the oldest ready message out for good (receive-and-delete). */
  take(): StoredMessage | undefined {
    const message = this.#takeReady();
    if (message) this.#remove(message);
    return message;
  }

  /** Locks deferred messages by their sequence numbers; those that are not deferred, or locked, are left out. */
  lockDeferred(sequences: readonly number[], now: number): readonly LockedMessage[] {
    return sequences.flatMap((sequence) => {
      const message = this.#messages.get(sequence);
      if (!message || !this.#deferred.delete(sequence)) return [];
      return [this.#lock(message, now)];
    });
  }

  complete(token: Buffer, now: number): Settlement {
    const lock = this.#unlock(token, now);
    if (!lock) return 'lock-lost';
    this.#remove(lock.message);
    return 'settled';
  }

  /** Gives a message back: it is delivered again, or dead-lettered where that has happened too often. */
  abandon(token: Buffer, now: number, annotations: Readonly<Record<string, unknown>> = {}): Settlement {
    const lock = this.#unlock(token, now);
    if (!lock) return 'lock-lost';
    this.#annotate(lock.message, annotations);
    this.#giveBack(lock.message, now);
    return 'settled';
  }

  /** Keeps a message aside: it comes again only by its sequence number. */
  defer(token: Buffer, now: number, annotations: Readonly<Record<string, unknown>> = {}): Settlement {
    const lock = this.#unlock(token, now);
    if (!lock) return 'lock-lost';
    this.#annotate(lock.message, annotations);
    lock.message.deferred = true;
    this.#giveBack(lock.message, now);
    return 'settled';
  }

  /** Moves a message to the dead-letter queue; one that is there already is completed. */
  deadLetter(token: Buffer, now: number, properties: Readonly<Record<string, unknown>>): Settlement {
    const lock = this.#unlock(token, now);
    if (!lock) return 'lock-lost';
    this.#bury(lock.message, now, properties);
    return 'settled';
  }

  /** @returns until when the lock now holds; undefined where it is lost. */
  renew(token: Buffer, now: number): number | undefined {
    const lock = this.#unlock(token, now);
    if (!lock) return undefined;
    lock.lockedUntil = now + this.options.lockMs;
    this.#locks.set(token.toString('latin1'), lock);
    return lock.lockedUntil;
  }

  /** Gives back every message whose lock has run out. @returns how many. */
  expire(now: number): number {
    let expired = 0;
    for (const [token, lock] of this.#locks) {
      if (lock.lockedUntil > now) break;
      this.#locks.delete(token);
      this.#giveBack(lock.message, now);
      expired++;
    }
    return expired;
  }

  /** Messages from a sequence number on, whatever their state, without locking them. */
  peek(from: number, max: number): readonly StoredMessage[] {
    const found: StoredMessage[] = [];
    for (const message of this.#messages.values()) {
      if (found.length === max) break;
      if (message.sequence >= from) found.push(message);
    }
    return found;
  }

  get ready(): number {
    return this.#ready.size;
  }

  state(): QueueState {
    const [first] = this.#messages.values();
    return {
      active: this.#ready.size,
      locked: this.#locks.size,
      deferred: this.#deferred.size,
      deadLettered: this.deadLetters?.size ?? 0,
      enqueued: this.#enqueued,
      completed: this.#completed,
      duplicates: this.#duplicates,
      oldest: first?.enqueuedAt,
    };
  }

  /** Messages that are neither completed nor dead-lettered. */
  get size(): number {
    return this.#messages.size;
  }

  /** Every message, in the order of sequence numbers. */
  messages(): Iterable<StoredMessage> {
    return this.#messages.values();
  }

  #isDuplicate(content: Message, now: number): boolean {
    const window = this.options.duplicateWindowMs;
    if (window === 0) return false;
    for (const [id, at] of this.#seen) {
      if (at + window > now) break;
      this.#seen.delete(id);
    }
    const id = String(content.message_id);
    if (this.#seen.has(id)) return true;
    this.#seen.set(id, now);
    return false;
  }

  #takeReady(): StoredMessage | undefined {
    const sequence = this.#ready.take();
    return sequence === undefined ? undefined : this.#messages.get(sequence);
  }

  #lock(message: StoredMessage, now: number): LockedMessage {
    const lock = { token: newLockToken(), message, lockedUntil: now + this.options.lockMs };
    this.#locks.set(lock.token.toString('latin1'), lock);
    return lock;
  }

  #unlock(token: Buffer, now: number): LockedMessage | undefined {
    const id = token.toString('latin1');
    const lock = this.#locks.get(id);
    if (!lock || lock.lockedUntil <= now) return undefined;
    this.#locks.delete(id);
    return lock;
  }

  #giveBack(message: StoredMessage, now: number): void {
    message.deliveryCount++;
    if (message.deliveryCount >= this.options.maxDeliveryCount) {
      this.#bury(message, now, {
        DeadLetterReason: 'MaxDeliveryCountExceeded',
        DeadLetterErrorDescription: `Message could not be consumed after ${message.deliveryCount} delivery attempts.`,
      });
      return;
    }
    if (message.deferred) this.#deferred.add(message.sequence);
    else this.#ready.giveBack(message.sequence);
    this.#log.delivered(this.options.name, message);
  }

  #bury(message: StoredMessage, now: number, properties: Readonly<Record<string, unknown>>): void {
    const content = {
      ...message.content,
      application_properties: { ...message.content.application_properties, ...properties },
    };
    this.deadLetters?.enqueue(content, now, this.options.name, message.deliveryCount);
    this.#remove(message);
  }

  /** `propertiesToModify` of an abandon or a deferral. */
  #annotate(message: StoredMessage, annotations: Readonly<Record<string, unknown>>): void {
    if (Object.keys(annotations).length === 0) return;
    message.content.application_properties = { ...message.content.application_properties, ...annotations };
    this.#log.enqueued(this.options.name, message);
  }

  #remove(message: StoredMessage): void {
    this.#messages.delete(message.sequence);
    this.#completed++;
    this.#log.settled(this.options.name, message.sequence);
  }
}
