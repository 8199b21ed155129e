import type { ServiceBusClient } from '@azure/service-bus';
import type { Timestamp } from '../../namespace/entry.ts';
import { IsthmusError, messageOf } from '../../schema/errors.ts';
import type { TriggerMessage, TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import type { HeldMessage } from './held-message.ts';
import { type Outcome, ServiceBusLink } from './service-bus-link.ts';
import { Sleepers } from './sleepers.ts';

export interface ServiceBusQueueOptions {
  readonly queue: string;
  /** Receivers at a time, each with a link of its own. @default 2 */
  readonly receivers?: number | undefined;
  /** Messages held at most, under way and waiting. A link that is rebuilt may hold more, and 2,047 is the client's end. @default 2000 */
  readonly hold?: number | undefined;
  /** Bytes of bodies held, from which on no more is asked for; some 250 messages that are asked for already still come. @default 64 MiB */
  readonly holdBytes?: number | undefined;
  /** After this long without a message the queue is asked whether it has any, in milliseconds. @default 20_000 */
  readonly silenceMs?: number | undefined;
  /** Told of messages whose locks ended before they were settled. */
  readonly onLost?: ((count: number) => void) | undefined;
}

const RECEIVERS = 2;
const HOLD = 2_000;
/** Thirty times what as many events of the usual size take. */
const HOLD_BYTES = 64 * 1024 * 1024;
const SILENCE_MS = 20_000;
const RENEW_EVERY_MS = 250;
/**
 * After the first message, so that many that come together are one batch. At 2,000 messages a second it left a quarter
 * of two cores idle, and 5 ms a sixth.
 */
const GATHER_MS = 25;
/** A message that has waited this long while the receivers were silent means that they are stuck. */
const STUCK_AFTER_MS = 10_000;
/** A link to which nothing came while so many came to the others is stuck: a queue serves its receivers in turns. */
const STUCK_AFTER_MESSAGES = 2_000;

/** A link, and when something last came by it. */
interface OpenLink {
  readonly link: ServiceBusLink;
  heardAt: Timestamp;
  /** How many messages had come by any link. */
  heardCount: number;
}

interface Waiting {
  readonly held: HeldMessage;
  readonly link: ServiceBusLink;
}

/**
 * A Service Bus queue in peek-lock mode.
 *
 * It streams instead of asking for batches: a batch of the client waits up to a second after its first message, and
 * has no prefetch. Locks are renewed here by lock token, since the client renews by message id, and Event Grid keeps
 * the id when it delivers again. A link that is silent while the queue has messages for it is replaced.
 */
export class ServiceBusQueue implements TriggerQueue {
  readonly #client: ServiceBusClient;
  readonly #options: ServiceBusQueueOptions;
  readonly #links = new Set<OpenLink>();
  /** Everything that was handed out and not settled. */
  readonly #out = new Map<TriggerMessage, Waiting>();
  /** Held, and not yet handed out. */
  #waiting: Waiting[] = [];
  readonly #sleepers = new Sleepers();
  #failure: Error | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #count = 0;

  /** The client is closed with the queue. */
  constructor(client: ServiceBusClient, options: ServiceBusQueueOptions) {
    this.#client = client;
    this.#options = options;
  }

  async receive(max: number, waitMs: number, signal: AbortSignal): Promise<readonly TriggerMessage[]> {
    signal.throwIfAborted();
    this.#open();
    if (this.#waiting.length === 0) {
      const comes = (ms: number, count: number) =>
        this.#sleepers.wait(ms, signal, () => this.#waiting.length >= count || this.#failure !== undefined);
      await comes(waitMs, 1);
      if (this.#waiting.length > 0) await comes(GATHER_MS, max);
    }
    if (this.#failure !== undefined) await this.#fail(this.#failure);
    await this.#replaceQuiet();
    if (this.#waiting.length === 0) await this.#checkSilence(signal);
    const taken = this.#waiting.splice(0, max).filter(({ held }) => !held.lost);
    for (const each of taken) this.#out.set(each.held.trigger, each);
    return taken.map(({ held }) => held.trigger);
  }

  async complete(messages: readonly TriggerMessage[]): Promise<void> {
    await this.#settle(messages, {
      name: 'completed',
      apply: (receiver, message) => receiver.completeMessage(message),
    });
  }

  async abandon(messages: readonly TriggerMessage[]): Promise<void> {
    await this.#settle(messages, {
      name: 'abandoned',
      apply: (receiver, message) => receiver.abandonMessage(message),
    });
  }

  async deadLetter(message: TriggerMessage, reason: string, description: string): Promise<void> {
    const options = { deadLetterReason: reason, deadLetterErrorDescription: description.slice(0, 4_000) };
    await this.#settle([message], {
      name: `dead-lettered ${JSON.stringify(options)}`,
      apply: (receiver, each) => receiver.deadLetterMessage(each, options),
    });
  }

  async oldest(): Promise<Timestamp | undefined> {
    try {
      const [open = this.#addLink()] = this.#links;
      return await open.link.oldest();
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  async close(): Promise<void> {
    this.#stopRenewing();
    // Else what is given back comes straight here again.
    await Promise.all([...this.#links].map(({ link }) => link.pause()));
    const back = this.#waiting.splice(0);
    for (const each of back) this.#out.set(each.held.trigger, each);
    await this.abandon(back.map(({ held }) => held.trigger));
    await this.#drop();
    await this.#client.close().catch(() => {});
  }

  #open(): void {
    if (this.#renewing !== undefined) return;
    this.#failure = undefined;
    while (this.#links.size < (this.#options.receivers ?? RECEIVERS)) this.#addLink();
    for (const open of this.#links) {
      open.heardAt = Date.now();
      open.link.open();
    }
    this.#renewing = setInterval(() => {
      for (const { link } of this.#links) void link.renew(Date.now());
    }, RENEW_EVERY_MS);
  }

  #addLink(): OpenLink {
    const { queue, receivers = RECEIVERS, hold = HOLD, holdBytes = HOLD_BYTES, onLost } = this.#options;
    const link: ServiceBusLink = new ServiceBusLink({
      client: this.#client,
      queue,
      hold: Math.max(1, Math.floor(hold / receivers)),
      holdBytes: holdBytes / receivers,
      onMessage: (held) => {
        open.heardAt = Date.now();
        open.heardCount = ++this.#count;
        this.#waiting.push({ held, link });
        this.#sleepers.wake();
      },
      onFailure: (error) => {
        this.#failure = error;
        this.#sleepers.wake();
      },
      onLost: (count) => onLost?.(count),
    });
    const open: OpenLink = { link, heardAt: Date.now(), heardCount: this.#count };
    this.#links.add(open);
    return open;
  }

  /** What is not held any more, since its link was replaced, is left alone. */
  async #settle(messages: readonly TriggerMessage[], outcome: Outcome): Promise<void> {
    const byLink = new Map<ServiceBusLink, HeldMessage[]>();
    for (const message of messages) {
      const out = this.#out.get(message);
      if (out === undefined) continue;
      this.#out.delete(message);
      const list = byLink.get(out.link);
      if (list === undefined) byLink.set(out.link, [out.held]);
      else list.push(out.held);
    }
    await Promise.all([...byLink].map(([link, held]) => link.settle(held, outcome)));
  }

  /** A link to which nothing comes while much comes to the others. */
  async #replaceQuiet(): Promise<void> {
    const before = Date.now() - (this.#options.silenceMs ?? SILENCE_MS);
    for (const open of this.#links) {
      if (open.link.holds > 0 || open.heardAt > before || this.#count - open.heardCount < STUCK_AFTER_MESSAGES)
        continue;
      this.#links.delete(open);
      this.#addLink().link.open();
      await open.link.close();
    }
  }

  /** Where nothing comes by any link, the queue is asked whether there is anything. */
  async #checkSilence(signal: AbortSignal): Promise<void> {
    const before = Date.now() - (this.#options.silenceMs ?? SILENCE_MS);
    if ([...this.#links].some(({ heardAt }) => heardAt > before)) return;
    for (const open of this.#links) open.heardAt = Date.now();
    const oldest = await this.oldest().catch((error: unknown) => this.#fail(error));
    signal.throwIfAborted();
    const holds = [...this.#links].some(({ link }) => link.holds > 0);
    if (oldest === undefined || holds || Date.now() - oldest < STUCK_AFTER_MS) return;
    await this.#drop();
  }

  async #fail(error: unknown): Promise<never> {
    await this.#drop();
    throw this.#unavailable(error);
  }

  /** Lets go of every link; what they held comes again when its locks end. The next `receive` opens others. */
  async #drop(): Promise<void> {
    this.#stopRenewing();
    const links = [...this.#links];
    this.#links.clear();
    this.#out.clear();
    this.#waiting = [];
    this.#failure = undefined;
    await Promise.all(links.map(({ link }) => link.close()));
  }

  #stopRenewing(): void {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
  }

  #unavailable(error: unknown): IsthmusError {
    if (error instanceof IsthmusError) return error;
    const message = `Service Bus queue ${this.#options.queue}: ${messageOf(error)}`;
    return new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
  }
}
