import {
  isServiceBusError,
  type ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import pLimit from 'p-limit';
import type { Timestamp } from '../../namespace/entry.ts';
import { ensureError } from '../../schema/errors.ts';
import { HeldMessage } from './held-message.ts';
import { sequenceNumber } from './sequence-number.ts';
import { SettlementOrder } from './settlement-order.ts';
import { within } from './within.ts';

/** What becomes of a message. Equal names are settled together: see `SettlementOrder`. */
export interface Outcome {
  readonly name: string;
  apply(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage): Promise<void>;
}

export interface ServiceBusLinkOptions {
  readonly client: ServiceBusClient;
  readonly queue: string;
  /** Messages held at most. Each time the client rebuilds the link it asks for `AHEAD` more, and 2,047 is its end. */
  readonly hold: number;
  /** Bytes of bodies held, from which on no more is asked for: what is asked for already still comes, and what a rebuilt link asks for. */
  readonly holdBytes: number;
  /** Told of every message that has come under a lock. */
  onMessage(held: HeldMessage): void;
  /** The link will not heal by itself. */
  onFailure(error: Error): void;
  /** So many messages are not this process's any more, though it has not settled them. */
  onLost(count: number): void;
}

/** The client asks for up to 40 s whether a settlement has arrived when its link is lost; meanwhile nothing else would be received. */
const SETTLE_MS = 5_000;
const RENEWALS_AT_ONCE = 32;
/**
 * Messages asked for ahead of their arrival: each may be as large as the queue takes (256 KB, 1 MB in the premium tier).
 * With an answer after 15 ms so many make 8,500 a second.
 */
const AHEAD = 128;
/** Peeks from the queue's beginning. */
const BEGINNING = sequenceNumber(0n);

/** One receiver of a queue, with all that it has under a lock. It serves until it is closed, and then never again. */
export class ServiceBusLink {
  readonly #options: ServiceBusLinkOptions;
  readonly #receiver: ServiceBusReceiver;
  readonly #held = new Set<HeldMessage>();
  readonly #order = new SettlementOrder();
  readonly #ahead: number;
  /** What has come and is not settled or dropped. */
  #count = 0;
  #bytes = 0;
  /** Each lets the client ask for one message more, once there is room. */
  readonly #withheld: (() => void)[] = [];
  readonly #renewals = pLimit(RENEWALS_AT_ONCE);
  #subscription: { close(): Promise<void> } | undefined;
  #closed = false;

  constructor(options: ServiceBusLinkOptions) {
    this.#options = options;
    this.#ahead = Math.min(AHEAD, options.hold);
    this.#receiver = options.client.createReceiver(options.queue, {
      receiveMode: 'peekLock',
      skipParsingBodyAsJson: true,
      skipConvertingDate: true,
      maxAutoLockRenewalDurationInMs: 0,
    });
  }

  /** How many messages it has under a lock. */
  get holds(): number {
    return this.#held.size;
  }

  open(): void {
    if (this.#subscription !== undefined) return;
    this.#subscription = this.#receiver.subscribe(
      {
        processMessage: (message) => this.#take(message),
        processError: async ({ error, errorSource }) => {
          // The client heals what is retryable by itself, for as long as it takes; silence is noticed by the queue.
          const lasting = errorSource === 'receive' && isServiceBusError(error) && !error.retryable;
          if (lasting && !this.#closed) this.#options.onFailure(error);
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.#ahead },
    );
  }

  /** Nothing more comes; what is held stays held. */
  async pause(): Promise<void> {
    await this.#subscription?.close().catch(() => {});
  }

  /** A lost lock or link is no error: the message comes again and changes nothing. */
  async settle(messages: readonly HeldMessage[], outcome: Outcome): Promise<void> {
    for (const held of messages) this.#held.delete(held);
    await this.#order.settle(outcome.name, async () => {
      const settling = messages.map(async (held) => {
        // Of a lost one the queue has been told already, or will be in vain.
        if (!held.lost) await this.#settleOne(held, outcome);
        held.release();
      });
      await within(SETTLE_MS, Promise.all(settling));
    });
    for (const { release } of messages) release();
  }

  async #settleOne(held: HeldMessage, outcome: Outcome): Promise<void> {
    try {
      await outcome.apply(this.#receiver, held.received);
    } catch (error) {
      if (isLost(error)) this.#options.onLost(1);
    }
  }

  /** Renews every lock that is due. */
  async renew(now: Timestamp): Promise<void> {
    const due = [...this.#held].filter((held) => held.isDue(now));
    for (const held of due) held.notRenewed(now);
    await this.#renewals.map(due, async (held) => {
      try {
        if (this.#held.has(held)) held.renewed(await this.#receiver.renewMessageLock(held.received), Date.now());
      } catch (error) {
        if (!isLost(error) || !this.#held.delete(held)) return;
        held.lost = true;
        held.release();
        this.#options.onLost(1);
      }
    });
  }

  /** When the queue's oldest message was enqueued, whoever holds it. */
  async oldest(): Promise<Timestamp | undefined> {
    const [message] = await this.#receiver.peekMessages(1, { fromSequenceNumber: BEGINNING });
    return message?.enqueuedTimeUtc?.getTime();
  }

  /** Lets go of everything: what is held comes again when its locks end. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = [...this.#held].filter(({ lost }) => !lost).length;
    if (left > 0) this.#options.onLost(left);
    for (const held of this.#held) {
      held.lost = true;
      held.release();
    }
    this.#held.clear();
    for (const askForMore of this.#withheld.splice(0)) askForMore();
    await this.#receiver.close().catch(() => {});
  }

  /** Resolves when there is room for another message: until then the client asks for none in its place. */
  #take(message: ServiceBusReceivedMessage): Promise<void> {
    return new Promise((askForMore) => {
      const bytes = bytesOf(message);
      this.#count++;
      this.#bytes += bytes;
      this.#withheld.push(askForMore);
      let isHere = true;
      const release = () => {
        if (!isHere) return;
        isHere = false;
        this.#count--;
        this.#bytes -= bytes;
        this.#askForMore();
      };
      const held = new HeldMessage(message, release, Date.now());
      this.#held.add(held);
      this.#options.onMessage(held);
      this.#askForMore();
    });
  }

  #askForMore(): void {
    const { hold, holdBytes } = this.#options;
    const underWay = this.#ahead - this.#withheld.length;
    const room = this.#bytes < holdBytes ? Math.max(0, hold - this.#count - underWay) : 0;
    for (const askForMore of this.#withheld.splice(0, room)) askForMore();
  }
}

/** Of what Event Grid sends: a body that is no bytes is somebody else's, and small. */
function bytesOf({ body }: ServiceBusReceivedMessage): number {
  return Buffer.isBuffer(body) || typeof body === 'string' ? body.length : 0;
}

function isLost(thrown: unknown): boolean {
  const error = ensureError(thrown);
  return isServiceBusError(error) && error.code === 'MessageLockLost';
}
