import {
  isServiceBusError,
  type PeekMessagesOptions,
  type ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import pLimit from 'p-limit';
import type { Timestamp } from '../../namespace/entry.ts';
import { ensureError, IsthmusError } from '../../schema/errors.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { HeldMessage } from './held-message.ts';

export interface ServiceBusQueueOptions {
  readonly queue: string;
  /** Messages held at most, under way and waiting. A link that is rebuilt may hold twice as many, and 2,047 is the client's end. @default 800 */
  readonly hold?: number | undefined;
  /** After this long without a message the queue is asked whether it has any, in milliseconds. @default 20_000 */
  readonly silenceMs?: number | undefined;
}

const HOLD = 800;
const SILENCE_MS = 20_000;
/** The client asks for up to 40 s whether a settlement has arrived when its link is lost; meanwhile nothing else would be received. */
const SETTLE_MS = 5_000;
const RENEW_EVERY_MS = 250;
const RENEWALS_AT_ONCE = 32;
/** A message that has waited this long while the receiver was silent means that the receiver is stuck. */
const STUCK_AFTER_MS = 10_000;
/** Peeks from the queue's beginning; the client asks for a `Long` and reads this much of it. */
const BEGINNING = {
  __isLong__: true,
  toBytesBE: () => [0, 0, 0, 0, 0, 0, 0, 0],
} as unknown as NonNullable<PeekMessagesOptions['fromSequenceNumber']>;

/**
 * A Service Bus queue in peek-lock mode.
 *
 * It streams instead of asking for batches: a batch of the client waits up to a second after its first message, and
 * has no prefetch. Locks are renewed here by lock token, since the client renews by message id, and Event Grid keeps
 * the id when it delivers again. A receiver that is silent while the queue has old messages is replaced.
 */
export class ServiceBusQueue implements TriggerQueue {
  readonly #client: ServiceBusClient;
  readonly #options: ServiceBusQueueOptions;
  #receiver: ServiceBusReceiver | undefined;
  #subscription: { close(): Promise<void> } | undefined;
  /** Everything under a lock. */
  readonly #held = new Map<TriggerMessage, HeldMessage>();
  /** Held, and not yet handed out. */
  #waiting: HeldMessage[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #heardAt = 0;
  /** Resolves when the outcome that is being sent has been answered. */
  #settling: Promise<void> = Promise.resolve();

  /** The client is closed with the queue. */
  constructor(client: ServiceBusClient, options: ServiceBusQueueOptions) {
    this.#client = client;
    this.#options = options;
  }

  async receive(max: number, waitMs: number, signal: AbortSignal): Promise<readonly TriggerMessage[]> {
    signal.throwIfAborted();
    this.#open();
    if (this.#waiting.length === 0) await this.#wait(waitMs, signal);
    if (this.#failure !== undefined) await this.#fail(this.#failure);
    if (this.#waiting.length === 0) await this.#checkSilence(signal);
    return this.#waiting.splice(0, max).map((held) => held.trigger);
  }

  async complete(messages: readonly TriggerMessage[]): Promise<void> {
    await this.#settle(messages, (receiver, message) => receiver.completeMessage(message));
  }

  async abandon(messages: readonly TriggerMessage[]): Promise<void> {
    await this.#settle(messages, (receiver, message) => receiver.abandonMessage(message));
  }

  async deadLetter(message: TriggerMessage, reason: string, description: string): Promise<void> {
    const options = { deadLetterReason: reason, deadLetterErrorDescription: description.slice(0, 4_000) };
    await this.#settle([message], (receiver, each) => receiver.deadLetterMessage(each, options));
  }

  async oldest(): Promise<Timestamp | undefined> {
    try {
      const receiver = this.#receiver ?? this.#newReceiver();
      this.#receiver = receiver;
      const [message] = await receiver.peekMessages(1, { fromSequenceNumber: BEGINNING });
      return message?.enqueuedTimeUtc?.getTime();
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
    // Else what is given back comes straight here again.
    await this.#subscription?.close().catch(() => {});
    await this.abandon(this.#waiting.splice(0).map((held) => held.trigger));
    await this.#drop();
    await this.#client.close().catch(() => {});
  }

  #newReceiver(): ServiceBusReceiver {
    return this.#client.createReceiver(this.#options.queue, {
      receiveMode: 'peekLock',
      skipParsingBodyAsJson: true,
      maxAutoLockRenewalDurationInMs: 0,
    });
  }

  #open(): void {
    if (this.#renewing !== undefined) return;
    const receiver = this.#receiver ?? this.#newReceiver();
    this.#receiver = receiver;
    this.#failure = undefined;
    this.#heardAt = Date.now();
    this.#renewing = setInterval(() => void this.#renew(), RENEW_EVERY_MS);
    this.#subscription = receiver.subscribe(
      {
        processMessage: (message) => this.#take(message),
        processError: async ({ error, errorSource }) => {
          // The client heals what is retryable by itself, for as long as it takes; silence is noticed here.
          const lasting = errorSource === 'receive' && isServiceBusError(error) && !error.retryable;
          if (lasting && this.#receiver === receiver) {
            this.#failure = error;
            this.#wake?.();
          }
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.#options.hold ?? HOLD },
    );
  }

  /** Resolves when the message is settled or dropped: until then the client asks for none in its place. */
  #take(message: ServiceBusReceivedMessage): Promise<void> {
    this.#heardAt = Date.now();
    return new Promise((release) => {
      const held = new HeldMessage(message, release, Date.now());
      this.#held.set(held.trigger, held);
      this.#waiting.push(held);
      this.#wake?.();
    });
  }

  #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#wake = undefined;
        resolve();
      };
      const aborted = () => {
        done();
        reject(signal.reason);
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener('abort', aborted, { once: true });
      this.#wake = done;
    });
  }

  /** A lost lock or link is no error: the message comes again and changes nothing. */
  /**
   * One outcome at a time, each answered before the next is sent: rhea 3.0.5 joins neighbouring dispositions of one
   * flush and gives the second of them the first one's outcome, so that a good message beside a bad one would be
   * dead-lettered.
   */
  async #settle(
    messages: readonly TriggerMessage[],
    how: (receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) => Promise<void>,
  ): Promise<void> {
    const before = this.#settling;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settling = promise;
    await before;
    try {
      await this.#settleAlike(messages, how);
    } finally {
      resolve();
    }
  }

  async #settleAlike(
    messages: readonly TriggerMessage[],
    how: (receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) => Promise<void>,
  ): Promise<void> {
    const receiver = this.#receiver;
    const settled = messages.flatMap((message) => this.#held.get(message) ?? []);
    for (const { trigger } of settled) this.#held.delete(trigger);
    if (receiver !== undefined) {
      const settling = settled.map(async ({ received, release }) => {
        await how(receiver, received).catch(() => {});
        release();
      });
      await within(SETTLE_MS, Promise.all(settling));
    }
    for (const { release } of settled) release();
  }

  async #renew(): Promise<void> {
    const now = Date.now();
    const due = [...this.#held.values()].filter((held) => held.isDue(now));
    const limit = pLimit(RENEWALS_AT_ONCE);
    await limit.map(due, async (held) => {
      held.notRenewed(now);
      const until = await this.#receiver?.renewMessageLock(held.received).catch(() => undefined);
      if (until !== undefined) held.renewed(until, Date.now());
    });
  }

  async #checkSilence(signal: AbortSignal): Promise<void> {
    if (Date.now() - this.#heardAt < (this.#options.silenceMs ?? SILENCE_MS)) return;
    this.#heardAt = Date.now();
    const oldest = await this.oldest().catch((error: unknown) => this.#fail(error));
    signal.throwIfAborted();
    if (oldest === undefined || this.#held.size > 0 || Date.now() - oldest < STUCK_AFTER_MS) return;
    await this.#drop();
  }

  async #fail(error: unknown): Promise<never> {
    await this.#drop();
    throw this.#unavailable(error);
  }

  /** Lets go of the receiver; what it held comes again when its locks end. The next `receive` opens another. */
  async #drop(): Promise<void> {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#subscription = undefined;
    this.#failure = undefined;
    for (const held of this.#held.values()) held.release();
    this.#held.clear();
    this.#waiting = [];
    await receiver?.close().catch(() => {});
  }

  #unavailable(error: unknown): IsthmusError {
    if (error instanceof IsthmusError) return error;
    const message = `Service Bus queue ${this.#options.queue}: ${ensureError(error).message}`;
    return new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
  }
}

/** Waits for the work, but not for longer; it must not reject. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
