import rhea, { type Delivery, type EventContext, type Sender } from 'rhea';
import { wantsMore } from '../amqp/sending.ts';
import type { MessageQueue, Settlement } from './message-queue.ts';
import { encodeMessage } from './wire-message.ts';

const { message: outcomes } = rhea as unknown as {
  message: Record<'accepted' | 'rejected' | 'modified', (fields?: unknown) => { described(): unknown }>;
};

/** What this needs of rhea beyond its types; rhea-promise, under Azure's clients, reads the same fields. */
interface RheaSender {
  credit: number;
  delivery_count: number;
  readonly local: { readonly attach: { snd_settle_mode: number; rcv_settle_mode: number } };
  _get_drain: () => boolean;
}

interface Outcome {
  readonly error?: { readonly info?: Record<string, unknown> };
  readonly undeliverable_here?: boolean;
  readonly message_annotations?: Record<string, unknown>;
}

/**
 * One client's receiver on a queue. (It is rhea's sender: AMQP names links by this end.)
 *
 * Messages are sent as credit allows, under a lock in peek-lock mode, and settled when the client says what
 * became of them. A client that goes away leaves its locks to run out, as in Azure.
 */
export class ReceivingLink {
  readonly #link: Sender & RheaSender;
  readonly #queue: MessageQueue;
  readonly #peekLock: boolean;
  readonly #now: () => number;
  #draining = false;

  constructor(link: Sender, queue: MessageQueue, now: () => number) {
    this.#link = link as unknown as Sender & RheaSender;
    this.#queue = queue;
    this.#now = now;
    this.#peekLock = link.snd_settle_mode !== 1;
    link.set_source(link.source);
    link.set_target(link.target);
    this.#link.local.attach.snd_settle_mode = link.snd_settle_mode ?? 0;
    this.#link.local.attach.rcv_settle_mode = link.rcv_settle_mode ?? 0;
    this.#answerDrains();
    this.#link.on('accepted', (context: EventContext) => this.#settle(context.delivery));
    this.#link.on('rejected', (context: EventContext) => this.#settle(context.delivery));
    this.#link.on('released', (context: EventContext) => this.#settle(context.delivery));
    this.#link.on('modified', (context: EventContext) => this.#settle(context.delivery));
  }

  get queue(): MessageQueue {
    return this.#queue;
  }

  /** The broker's own end of it, as when a queue is moved to another node. */
  detach(): void {
    this.#link.close({ condition: 'amqp:link:detach-forced', description: 'The link was detached by the broker.' });
  }

  /** Sends one message if there is one and the client has asked for it. */
  sendOne(): boolean {
    if (!wantsMore(this.#link)) return false;
    if (!this.#peekLock) {
      const taken = this.#queue.take();
      if (taken) this.#link.send(encodeMessage(taken, undefined), undefined, 0);
      return taken !== undefined;
    }
    const locked = this.#queue.lock(this.#now());
    if (!locked) return false;
    this.#link.send(encodeMessage(locked.message, locked.lockedUntil), locked.token, 0);
    return true;
  }

  /** The client wants its remaining credit back: it gets what is there, then the answer that there is no more. */
  drain(): void {
    while (this.sendOne());
    this.#draining = true;
    this.#link.set_drained(true);
  }

  /**
   * rhea answers a drain only where credit is left. Where the last of it was spent on messages still under way,
   * the client would wait for its answer, give up and close the link.
   */
  #answerDrains(): void {
    this.#link._get_drain = () => {
      if (!this.#draining) return false;
      this.#draining = false;
      this.#link.delivery_count += this.#link.credit;
      this.#link.credit = 0;
      return true;
    };
  }

  #settle(delivery: Delivery | undefined): void {
    if (!delivery || delivery.settled) return;
    const state = delivery.remote_state as
      | (Outcome & { readonly constructor: { composite_type?: string } })
      | undefined;
    const settlement = this.#peekLock ? this.#apply(delivery.tag as Buffer, state) : 'settled';
    delivery.update(true, settlement === 'settled' ? answerTo(state) : LOCK_LOST);
    // rhea frees a delivery only when both ends have settled it, and the client waits for us to do so: without
    // this a link stops for good after 2,048 messages.
    (delivery as { remote_settled: boolean }).remote_settled = true;
  }

  #apply(
    token: Buffer,
    state: (Outcome & { readonly constructor: { composite_type?: string } }) | undefined,
  ): Settlement {
    const now = this.#now();
    switch (state?.constructor.composite_type) {
      case 'accepted':
        return this.#queue.complete(token, now);
      case 'rejected':
        return this.#queue.deadLetter(token, now, definedOnly(state.error?.info));
      case 'modified':
        return state.undeliverable_here
          ? this.#queue.defer(token, now, definedOnly(state.message_annotations))
          : this.#queue.abandon(token, now, definedOnly(state.message_annotations));
      default:
        return this.#queue.abandon(token, now);
    }
  }
}

const ACCEPTED = outcomes.accepted().described();
const LOCK_LOST = outcomes
  .rejected({
    error: {
      condition: 'com.microsoft:message-lock-lost',
      description:
        'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
    },
  })
  .described();

/** Azure answers with the outcome that the client asked for. A rejection goes back without its error, which the client would take for a failure. */
function answerTo(state: { readonly constructor: { composite_type?: string } } | undefined): unknown {
  switch (state?.constructor.composite_type) {
    case 'rejected':
      return outcomes.rejected({}).described();
    case 'modified':
      return outcomes.modified({}).described();
    default:
      return ACCEPTED;
  }
}

function definedOnly(properties: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties ?? {}).filter(([, value]) => value !== undefined && value !== null),
  );
}
