import { randomUUID } from 'node:crypto';
import type { EventContext, Message, Receiver, Sender } from 'rhea';
import { type AmqpServer, emulatorConnectionString, listenAmqp } from '../amqp/amqp-server.ts';
import { answerPutToken, attach, refuse, reply } from '../amqp/answers.ts';
import { contentOf, messagesOf, type PublishedMessage } from '../amqp/messages.ts';
import { manage } from './management.ts';
import { MessageQueue, type QueueLog, type QueueOptions, type QueueState } from './message-queue.ts';
import { QueueFile } from './queue-file.ts';
import { ReceivingLink } from './receiving-link.ts';

const EXPIRY_MS = 100;

export interface ServiceBusOptions {
  readonly port: number;
  readonly queues: readonly QueueOptions[];
  /** Keeps the queues over restarts; without it they end with the broker. */
  readonly file?: string | undefined;
  /** @default Date.now */
  readonly now?: (() => number) | undefined;
}

export interface RunningServiceBus {
  readonly port: number;
  readonly connectionString: string;
  publish(queue: string, message: PublishedMessage): Promise<void>;
  /** @throws where there is no such queue. `NAME/$DeadLetterQueue` is one. */
  queueState(name: string): QueueState;
  /** Cuts every connection without a word, as a network does. */
  cutConnections(): void;
  /** Detaches every receiver, as Service Bus does when it moves a queue: its client attaches again. */
  detachReceivers(): void;
  stop(): Promise<void>;
}

/**
 * Starts an AMQP broker on 127.0.0.1 that Azure's own Service Bus client talks to: queues with peek-lock, lock
 * renewal and expiry, dead-letter queues, duplicate detection, deferral and peek. No topics, sessions, schedules,
 * transactions or time to live; what is not there is refused with `amqp:not-implemented`, never ignored.
 */
export async function startServiceBus(options: ServiceBusOptions): Promise<RunningServiceBus> {
  const broker = new Broker(options);
  const server = await broker.listen(options.port);
  return {
    port: server.port,
    connectionString: emulatorConnectionString(server.port),
    publish: (queue, message) => broker.publish(queue, message),
    queueState: (name) => broker.queue(name).state(),
    cutConnections: () => server.cutConnections(),
    detachReceivers: () => broker.detachReceivers(),
    stop: () => broker.stop(server),
  };
}

const NO_LOG: QueueLog = { enqueued: () => {}, delivered: () => {}, settled: () => {} };

class Broker {
  readonly #queues = new Map<string, MessageQueue>();
  readonly #links = new Map<MessageQueue, Set<ReceivingLink>>();
  readonly #now: () => number;
  readonly #file: QueueFile | undefined;
  #pumping = false;
  #written: Promise<void> = Promise.resolve();
  #expiry: NodeJS.Timeout | undefined;

  constructor({ queues, file, now = Date.now }: ServiceBusOptions) {
    this.#now = now;
    this.#file = file === undefined ? undefined : new QueueFile(file);
    for (const options of queues) {
      const queue = new MessageQueue(options, this.#file ?? NO_LOG);
      this.#queues.set(options.name.toLowerCase(), queue);
      if (queue.deadLetters) this.#queues.set(queue.deadLetters.options.name.toLowerCase(), queue.deadLetters);
    }
    this.#file?.open([...this.#queues.values()]);
  }

  listen(port: number): Promise<AmqpServer> {
    this.#expiry = setInterval(() => this.#expire(), EXPIRY_MS);
    return listenAmqp(port, {
      onReceiving: (link) => this.#openReceiving(link),
      onSending: (link) => this.#openSending(link),
    });
  }

  async stop(server: AmqpServer): Promise<void> {
    clearInterval(this.#expiry);
    await server.close();
    this.#file?.close();
  }

  detachReceivers(): void {
    for (const links of this.#links.values()) for (const link of links) link.detach();
  }

  queue(name: string): MessageQueue {
    const queue = this.#queues.get(name.toLowerCase());
    if (!queue) throw new Error(`There is no queue ${name}.`);
    return queue;
  }

  /** Resolves when the message is in the file, with all that were published in the same turn. */
  async publish(name: string, message: PublishedMessage): Promise<void> {
    this.#enqueue(this.queue(name), contentOf(message));
    await this.#written;
  }

  #enqueue(queue: MessageQueue, content: Message): void {
    queue.enqueue(content, this.#now());
    this.#pump();
  }

  #openReceiving(link: Sender): void {
    const address = link.source?.address ?? '';
    if (address === '$cbs' || address.endsWith('/$management') || address === '$management') {
      attach(link);
      return;
    }
    const queue = this.#queues.get(address.toLowerCase());
    if (!queue) {
      refuse(link, address);
      return;
    }
    if (hasSessionFilter(link)) {
      link.close({ condition: 'amqp:not-allowed', description: `The queue ${address} has no sessions.` });
      return;
    }
    const receiving = new ReceivingLink(link, queue, this.#now);
    const links = this.#links.get(queue) ?? new Set();
    this.#links.set(queue, links.add(receiving));
    link.on('sender_flow', () => this.#pump());
    link.on('sender_draining', () => receiving.drain());
    const gone = (): boolean => links.delete(receiving);
    link.on('sender_close', gone);
    link.session.once('session_close', gone);
    link.connection.on('disconnected', gone);
  }

  #openSending(link: Receiver): void {
    const address = link.target?.address ?? '';
    attach(link);
    if (address === '$cbs') {
      link.on('message', (context: EventContext) => answerPutToken(context));
      return;
    }
    const management = /^(.*)\/\$management$/.exec(address)?.[1];
    const queue = this.#queues.get((management ?? address).toLowerCase());
    if (!queue) {
      refuse(link, address);
      return;
    }
    if (management === undefined) link.on('message', (context: EventContext) => this.#receive(queue, context));
    else {
      link.on('message', (context: EventContext) => {
        if (!context.message) return;
        context.delivery?.accept();
        reply(context, manage(queue, context.message, this.#now()), 'target');
        this.#pump();
      });
    }
  }

  #receive(queue: MessageQueue, context: EventContext): void {
    const { delivery, message } = context;
    if (!delivery || !message) return;
    const contents = messagesOf(message, delivery.format);
    const refused = contents.map(refusalOf).find((reason) => reason !== undefined);
    if (refused) {
      delivery.reject({ condition: 'amqp:not-implemented', description: refused });
      return;
    }
    for (const content of contents) {
      // Azure's client cannot settle a message without an id.
      content.message_id ??= randomUUID();
      this.#enqueue(queue, content);
    }
    this.#file?.flush();
    delivery.accept();
  }

  #expire(): void {
    const now = this.#now();
    let expired = 0;
    for (const queue of this.#queues.values()) expired += queue.expire(now);
    // Settlements are written here at the latest.
    this.#file?.flush();
    if (expired > 0) this.#pump();
  }

  /** Once the current event is dealt with: writes the file, then gives ready messages to the receivers of their queue in turns. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#written = promise;
    setImmediate(() => {
      this.#pumping = false;
      this.#file?.flush();
      resolve();
      for (const [queue, links] of this.#links) {
        let sent = links.size > 0;
        while (sent && queue.ready > 0) {
          sent = false;
          for (const link of links) sent = link.sendOne() || sent;
        }
      }
    });
  }
}

function hasSessionFilter(link: Sender): boolean {
  return Object.keys(link.source?.filter ?? {}).includes('com.microsoft:session-filter');
}

function refusalOf(content: Message): string | undefined {
  if (content.message_annotations?.['x-opt-scheduled-enqueue-time'] !== undefined) {
    return 'The embedded broker does not schedule messages.';
  }
  return content.group_id ? 'The embedded broker has no sessions.' : undefined;
}
