import { randomUUID } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import rhea, { type Connection, type EventContext, type Message, type Receiver, type Sender } from 'rhea';
import { manage } from './management.ts';
import { MessageQueue, type QueueLog, type QueueOptions, type QueueState } from './message-queue.ts';
import { QueueFile } from './queue-file.ts';
import { ReceivingLink } from './receiving-link.ts';
import { messagesOf } from './wire-message.ts';

/** 1 MB, as in Azure's premium tier: what Event Grid may send fits. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A link of Azure's client never holds more than 2,047; larger here, so that an old delivery id can never meet a new one. */
const SESSION_BUFFER = 8192;
const EXPIRY_MS = 100;

export interface ServiceBusOptions {
  readonly port: number;
  readonly queues: readonly QueueOptions[];
  /** Keeps the queues over restarts; without it they end with the broker. */
  readonly file?: string | undefined;
  /** @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** A message as the embedded stack itself publishes it, for what Event Grid would deliver. */
export interface PublishedMessage {
  readonly messageId: string;
  /** Sent as UTF-8 JSON in one data section. */
  readonly body: unknown;
  readonly applicationProperties?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export interface RunningServiceBus {
  readonly port: number;
  readonly connectionString: string;
  publish(queue: string, message: PublishedMessage): Promise<void>;
  /** @throws where there is no such queue. `NAME/$DeadLetterQueue` is one. */
  queueState(name: string): QueueState;
  /** Cuts every connection without a word, as a network does. */
  cutConnections(): void;
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
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connectionString: serviceBusConnectionString(port),
    publish: (queue, message) => broker.publish(queue, message),
    queueState: (name) => broker.queue(name).state(),
    cutConnections: () => broker.cutConnections(),
    stop: () => broker.stop(server),
  };
}

/** What Azure's clients take; they speak plain TCP to an emulator, on whatever port. */
export function serviceBusConnectionString(port: number): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;`;
}

const NO_LOG: QueueLog = { enqueued: () => {}, delivered: () => {}, settled: () => {} };

class Broker {
  readonly #queues = new Map<string, MessageQueue>();
  readonly #links = new Map<MessageQueue, Set<ReceivingLink>>();
  readonly #sockets = new Set<Socket>();
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

  listen(port: number): Promise<Server> {
    const container = rhea.create_container({
      sender_options: { autosettle: false, treat_modified_as_released: false },
      receiver_options: { autoaccept: false, credit_window: 2000, max_message_size: MAX_MESSAGE_BYTES },
    });
    const mechanisms = container.sasl_server_mechanisms;
    mechanisms.enable_anonymous();
    // The client's name for the same thing: the token comes over $cbs.
    mechanisms.MSSBCBS = mechanisms.ANONYMOUS;
    container.on('sender_open', (context: EventContext) => context.sender && this.#openReceiving(context.sender));
    container.on('receiver_open', (context: EventContext) => context.receiver && this.#openSending(context.receiver));
    // A peer that goes away, or breaks the protocol, ends its connection and nothing else.
    for (const event of [
      'disconnected',
      'connection_error',
      'session_error',
      'sender_error',
      'receiver_error',
      'error',
      'protocol_error',
    ]) {
      container.on(event, () => {});
    }
    const server = container.listen({ port, host: '127.0.0.1', session_buffer_size: SESSION_BUFFER });
    server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#expiry = setInterval(() => this.#expire(), EXPIRY_MS);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => resolve(server));
    });
  }

  async stop(server: Server): Promise<void> {
    clearInterval(this.#expiry);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.cutConnections();
    await closed;
    this.#file?.close();
  }

  cutConnections(): void {
    // With an error, for rhea does not hear a mere close: its dead links would go on taking messages.
    for (const socket of this.#sockets) socket.destroy(new Error('cut'));
  }

  queue(name: string): MessageQueue {
    const queue = this.#queues.get(name.toLowerCase());
    if (!queue) throw new Error(`There is no queue ${name}.`);
    return queue;
  }

  /** Resolves when the message is in the file, with all that were published in the same turn. */
  async publish(name: string, message: PublishedMessage): Promise<void> {
    this.#enqueue(this.queue(name), {
      message_id: message.messageId,
      content_type: 'application/json',
      application_properties: { ...message.applicationProperties },
      body: rhea.message.data_section(Buffer.from(JSON.stringify(message.body))),
    });
    await this.#written;
  }

  #enqueue(queue: MessageQueue, content: Message): void {
    queue.enqueue(content, this.#now());
    this.#pump();
  }

  #openReceiving(link: Sender): void {
    const address = link.source?.address ?? '';
    if (address === '$cbs' || address.endsWith('/$management') || address === '$management') {
      link.set_source(link.source);
      link.set_target(link.target);
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
    link.set_source(link.source);
    link.set_target(link.target);
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

/** A credential is not judged: the broker listens on this machine alone. */
function answerPutToken(context: EventContext): void {
  context.delivery?.accept();
  const answer: Message = {
    correlation_id: context.message?.message_id as string,
    application_properties: { 'status-code': 202, 'status-description': 'Accepted' },
    body: undefined,
  };
  reply(context, answer, 'name');
}

/** `$cbs` is answered on the link whose name the request gives, `$management` on the one whose target it is. */
function reply(context: EventContext, answer: Message, by: 'name' | 'target'): void {
  const to = context.message?.reply_to;
  const link = (context.connection as Connection).find_sender(
    (candidate: Sender) => (by === 'name' ? candidate.name : candidate.target?.address) === to,
  );
  const delivery = link?.send(answer);
  if (delivery) delivery.update(true);
}

function refuse(link: Sender | Receiver, address: string): void {
  link.close({
    condition: 'amqp:not-found',
    description: `The messaging entity '${address}' could not be found. The embedded broker has no such queue.`,
  });
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
