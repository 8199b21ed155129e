import { createHash } from 'node:crypto';
import type {
  PeekMessagesOptions,
  ServiceBusClient,
  ServiceBusMessage,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
  ServiceBusSender,
} from '@azure/service-bus';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { DeadLetterQueue, HeldDeadLetter, QueuedDeadLetter } from '../../schema/ports/dead-letter-queue.ts';
import { sequenceNumber } from './sequence-number.ts';
import { within } from './within.ts';

const PAGE = 100;
/** Few, so that the last one's lock outlives the work with those before it. */
const TAKE = 32;
/** As many are asked for as a peek finds: the wait ends early, but where somebody else holds some of them. */
const WAIT_MS = 3_000;
/** Messages that are not asked for are held until those are found that are; the client's link takes 2,047. */
const HOLD = 2_000;
/** Whoever has its answer, or has given up on one, does not wait longer for a namespace that is silent. */
const CLOSE_MS = 1_000;
/** The longest that Service Bus takes. */
const LONGEST_ID = 128;
const REPLAYED = '#replay-';
/** For which Service Bus dead-letters by itself, as its documentation lists them. */
const SYSTEM_REASONS: ReadonlySet<string> = new Set([
  'HeaderSizeExceeded',
  'TTLExpiredException',
  'Session ID is null',
  'MaxTransferHopCountExceeded',
  'MaxDeliveryCountExceeded',
]);
/** What Service Bus itself adds to a dead letter: the queue gets the message as it was first sent. */
const DEAD_LETTER_PROPERTIES: ReadonlySet<string> = new Set(['DeadLetterReason', 'DeadLetterErrorDescription']);

/**
 * The dead-letter queue of a Service Bus queue.
 *
 * Service Bus gives no single message of a queue: all are received, under locks, until those that were asked
 * for have come; the others are given back. (That raises their delivery count, which has no limit here.)
 */
export class ServiceBusDeadLetters implements DeadLetterQueue {
  readonly #client: ServiceBusClient;
  readonly #queue: string;
  #receiver: ServiceBusReceiver | undefined;
  #sender: ServiceBusSender | undefined;

  /** The client is closed with it. */
  constructor(client: ServiceBusClient, queue: string) {
    this.#client = client;
    this.#queue = queue;
  }

  async *list(signal: AbortSignal): AsyncGenerator<QueuedDeadLetter> {
    for (let from = 0n; ; ) {
      const page = await this.#peek(from, PAGE, signal);
      for (const message of page) yield letterOf(message);
      const last = page.at(-1);
      if (last === undefined) return;
      from = BigInt(sequenceOf(last)) + 1n;
    }
  }

  async find(sequence: string, signal: AbortSignal): Promise<QueuedDeadLetter | undefined> {
    const [message] = await this.#peek(BigInt(sequence), 1, signal);
    return message !== undefined && sequenceOf(message) === sequence ? letterOf(message) : undefined;
  }

  async take(
    sequences: ReadonlySet<string>,
    work: (held: HeldDeadLetter) => Promise<void>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const wanted = new Set(sequences);
    const seen = new Set<string>();
    /** Under a lock, and not settled. */
    const taken = new Map<string, ServiceBusReceivedMessage>();
    const receiver = this.#open();
    try {
      for (let from = 0n; wanted.size > 0 && !signal.aborted; ) {
        const most = Math.min(TAKE, HOLD - taken.size);
        if (most <= 0) throw this.#tooManyBefore(wanted);
        const there = await this.#ahead(receiver, most, from, wanted, signal);
        const free = there.filter((message) => !taken.has(sequenceOf(message))).length;
        if (free === 0) break;
        const options = { maxWaitTimeInMs: WAIT_MS, abortSignal: signal };
        const batch = await this.#unlessStopped(signal, receiver.receiveMessages(free, options));
        for (const message of batch) from = later(from, BigInt(sequenceOf(message)) + 1n);
        const known = seen.size;
        // All of them, and before any work fails: what is not settled by then is given back at the end.
        for (const message of batch) {
          seen.add(sequenceOf(message));
          taken.set(sequenceOf(message), message);
        }
        for (const message of batch) {
          const sequence = sequenceOf(message);
          if (!wanted.has(sequence) || signal.aborted) continue;
          await work(this.#held(receiver, message, () => taken.delete(sequence)));
          wanted.delete(sequence);
        }
        // A message whose lock ran out comes again.
        if (seen.size === known) break;
      }
    } finally {
      await this.#giveBack(receiver, [...taken.values()]);
    }
    return wanted;
  }

  async close(): Promise<void> {
    await within(CLOSE_MS, this.#client.close());
  }

  /**
   * What may still be received, by a peek. A partitioned queue does not give its messages in the order of their numbers:
   * where none stands behind those that came, the wanted ones may stand before them.
   */
  async #ahead(
    receiver: ServiceBusReceiver,
    most: number,
    from: bigint,
    wanted: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly ServiceBusReceivedMessage[]> {
    const peek = (at: bigint) => this.#unlessStopped(signal, receiver.peekMessages(most, peekFrom(at, signal)));
    const behind = await peek(from);
    if (behind.length > 0) return behind;
    for (const sequence of wanted) {
      if (signal.aborted) break;
      const page = await peek(BigInt(sequence));
      if (page[0] !== undefined && sequenceOf(page[0]) === sequence) return page;
    }
    return [];
  }

  async #unlessStopped<T>(signal: AbortSignal, answer: Promise<readonly T[]>): Promise<readonly T[]> {
    try {
      return await answer;
    } catch (error) {
      if (signal.aborted) return [];
      throw this.#unavailable(error);
    }
  }

  #open(): ServiceBusReceiver {
    this.#receiver ??= this.#client.createReceiver(this.#queue, {
      subQueueType: 'deadLetter',
      receiveMode: 'peekLock',
      skipParsingBodyAsJson: true,
      maxAutoLockRenewalDurationInMs: 0,
    });
    return this.#receiver;
  }

  async #peek(from: bigint, max: number, signal: AbortSignal): Promise<readonly ServiceBusReceivedMessage[]> {
    try {
      return await this.#open().peekMessages(max, peekFrom(from, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unavailable(error);
    }
  }

  #held(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, onSettled: () => void): HeldDeadLetter {
    const settled = () =>
      receiver.completeMessage(message).then(
        () => {
          onSettled();
          return true;
        },
        () => false,
      );
    return {
      letter: letterOf(message),
      // A crash between the two leaves the message in both queues. That is harmless: the same news twice changes
      // nothing. The other order could lose it.
      requeue: async () => {
        await this.#send(againOf(message));
        return (await settled()) ? 'requeued' : 'sent-and-kept';
      },
      remove: async () => ((await settled()) ? 'removed' : 'kept'),
    };
  }

  /** Resolves when the queue has accepted it. */
  async #send(message: ServiceBusMessage): Promise<void> {
    this.#sender ??= this.#client.createSender(this.#queue);
    try {
      await this.#sender.sendMessages(message);
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** One that was settled, or whose lock is over, is none of ours any more. */
  async #giveBack(receiver: ServiceBusReceiver, messages: readonly ServiceBusReceivedMessage[]): Promise<void> {
    await Promise.allSettled(messages.map((message) => receiver.abandonMessage(message)));
  }

  #tooManyBefore(wanted: ReadonlySet<string>): IsthmusError {
    const [first = ''] = wanted;
    return new IsthmusError(
      'ISTHMUS_USAGE',
      `The dead letter ${first} of queue ${this.#queue} stands behind ${HOLD} others, which is as many as can be held: replay or discard those before it first.`,
    );
  }

  #unavailable(error: unknown): IsthmusError {
    if (error instanceof IsthmusError) return error;
    const message = `Dead letters of Service Bus queue ${this.#queue}: ${messageOf(error)}`;
    return new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
  }
}

/**
 * The message as it was first sent, under an id of its own. With duplicate detection a message is dropped in silence
 * where its id was seen within the window, and then completed here: it would be lost. The id names the dead letter, so
 * that what is dropped is only a second replay of the very same one, after a crash before it was completed.
 */
function againOf(message: ServiceBusReceivedMessage): ServiceBusMessage {
  const { applicationProperties = {}, messageId, scheduledEnqueueTimeUtc: _, ...rest } = message;
  const properties = Object.entries(applicationProperties).filter(([name]) => !DEAD_LETTER_PROPERTIES.has(name));
  const first = String(messageId ?? '').split(REPLAYED)[0] ?? '';
  const id = `${first}${REPLAYED}${sequenceOf(message)}`;
  return {
    ...rest,
    messageId: id.length <= LONGEST_ID ? id : createHash('sha256').update(id).digest('hex'),
    applicationProperties: Object.fromEntries(properties),
  };
}

function letterOf(message: ServiceBusReceivedMessage): QueuedDeadLetter {
  return {
    sequence: sequenceOf(message),
    messageId: String(message.messageId ?? ''),
    body: message.body,
    enqueuedAt: message.enqueuedTimeUtc?.getTime() ?? 0,
    reason: message.deadLetterReason ?? 'unknown',
    description: message.deadLetterErrorDescription ?? '',
    deliveryCount: deliveriesOf(message),
  };
}

/**
 * Service Bus counts deliveries that failed: a lock that ran out, a message that was given back. Where it dead-letters
 * a message itself, those are all; where a receiver does, the delivery to that receiver is not among them.
 */
function deliveriesOf({ deadLetterReason, deliveryCount = 0 }: ServiceBusReceivedMessage): number {
  return SYSTEM_REASONS.has(deadLetterReason ?? '') ? deliveryCount : deliveryCount + 1;
}

function sequenceOf(message: ServiceBusReceivedMessage): string {
  return message.sequenceNumber?.toString() ?? '0';
}

function peekFrom(from: bigint, signal: AbortSignal): PeekMessagesOptions {
  return { fromSequenceNumber: sequenceNumber(from), abortSignal: signal };
}

function later(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}
