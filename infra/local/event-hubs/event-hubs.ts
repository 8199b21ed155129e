import type { EventContext, Receiver, Sender } from 'rhea';
import { type AmqpServer, emulatorConnectionString, listenAmqp } from '../amqp/amqp-server.ts';
import { answerPutToken, attach, refuse, reply } from '../amqp/answers.ts';
import { contentOf, messagesOf, type PublishedMessage } from '../amqp/messages.ts';
import { EventHub, type HubOptions } from './event-hub.ts';
import { HubFile } from './hub-file.ts';
import { manage } from './management.ts';
import type { Partition } from './partition.ts';
import { epochOf, ReadingLink, startPositionOf } from './reading-link.ts';

const READING = /^([^/]+)\/ConsumerGroups\/([^/]+)\/Partitions\/([^/]+)$/i;
const SENDING = /^([^/]+)(?:\/Partitions\/([^/]+))?$/i;
/** As many as Azure lets read a partition in one consumer group without an owner level. */
const READERS = 5;

export interface EventHubsOptions {
  readonly port: number;
  readonly hubs: readonly HubOptions[];
  /** Keeps the hubs over restarts; without it they end with the broker. */
  readonly file?: string | undefined;
  /** @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** A partition as a test sees it. */
export interface PartitionState {
  readonly begin: number;
  /** Sequence number of the newest event; -1: there never was one. */
  readonly last: number;
  /** Readers that are attached now. */
  readonly readers: number;
  /** The most that one of them has asked for at a time and not yet been given. */
  readonly mostCredit: number;
}

export interface RunningEventHubs {
  readonly port: number;
  readonly connectionString: string;
  /** Resolves when the event is in the file. Without a key the partitions are taken in turn. */
  publish(hub: string, message: PublishedMessage, partitionKey?: string): Promise<void>;
  /** @throws where there is no such hub. By partition. */
  hubState(hub: string): Readonly<Record<string, PartitionState>>;
  /** Removes the events before this one, as retention does. */
  removeBefore(hub: string, partition: string, sequence: number): void;
  /** Cuts every connection without a word, as a network does. */
  cutConnections(): void;
  stop(): Promise<void>;
}

/**
 * Starts an AMQP broker on 127.0.0.1 that Azure's own Event Hubs client talks to: hubs with partitions, consumer
 * groups, start positions, owner levels, batches, partition keys and the properties of hubs and partitions. No
 * capture, no schema registry, no throughput units; what is not there is refused, never ignored.
 */
export async function startEventHubs(options: EventHubsOptions): Promise<RunningEventHubs> {
  const broker = new Broker(options);
  const server = await broker.listen(options.port);
  return {
    port: server.port,
    connectionString: emulatorConnectionString(server.port),
    publish: (hub, message, key) => broker.publish(hub, message, key),
    hubState: (hub) => broker.state(hub),
    removeBefore: (hub, partition, sequence) => broker.hub(hub).partitions.get(partition)?.removeBefore(sequence),
    cutConnections: () => server.cutConnections(),
    stop: () => broker.stop(server),
  };
}

class Broker {
  readonly #hubs = new Map<string, EventHub>();
  /** By the address that they attached to. */
  readonly #links = new Map<string, Set<ReadingLink>>();
  readonly #now: () => number;
  readonly #file: HubFile | undefined;
  #pumping = false;
  #written: Promise<void> = Promise.resolve();

  constructor({ hubs, file, now = Date.now }: EventHubsOptions) {
    this.#now = now;
    this.#file = file === undefined ? undefined : new HubFile(file);
    for (const options of hubs) {
      this.#hubs.set(options.name.toLowerCase(), new EventHub(options, now(), this.#file));
    }
    this.#file?.open([...this.#hubs.values()], now());
  }

  listen(port: number): Promise<AmqpServer> {
    return listenAmqp(port, {
      onReceiving: (link) => this.#openReading(link),
      onSending: (link) => this.#openSending(link),
    });
  }

  async stop(server: AmqpServer): Promise<void> {
    await server.close();
    this.#file?.close();
  }

  hub(name: string): EventHub {
    const hub = this.#hubs.get(name.toLowerCase());
    if (hub === undefined) throw new Error(`There is no event hub ${name}.`);
    return hub;
  }

  state(name: string): Readonly<Record<string, PartitionState>> {
    const states = [...this.hub(name).partitions.values()].map((partition): [string, PartitionState] => {
      const links = [...this.#links.values()]
        .flatMap((each) => [...each])
        .filter((link) => link.partition === partition);
      const mostCredit = Math.max(0, ...links.map((link) => link.mostCredit));
      const { begin, end, id } = partition;
      return [id, { begin, last: end.sequence - 1, readers: links.length, mostCredit }];
    });
    return Object.fromEntries(states);
  }

  /** Resolves when the event is in the file, with all that were published in the same turn. */
  async publish(name: string, message: PublishedMessage, key: string | undefined): Promise<void> {
    this.hub(name).append(contentOf(message), this.#now(), key === undefined ? {} : { key });
    this.#pump();
    await this.#written;
  }

  #openReading(link: Sender): void {
    const address = link.source?.address ?? '';
    if (address === '$cbs' || address === '$management') {
      attach(link);
      return;
    }
    const [, name = '', group = '', id = ''] = READING.exec(address) ?? [];
    const hub = this.#hubs.get(name.toLowerCase());
    const partition = hub?.hasGroup(group) ? hub.partitions.get(id) : undefined;
    if (partition === undefined) {
      refuse(link, address);
      return;
    }
    const start = startOf(link, partition);
    const links = this.#links.get(address.toLowerCase()) ?? new Set();
    if (start === undefined || !makeRoom(link, links)) return;
    const reading = new ReadingLink(link, partition, start);
    this.#links.set(address.toLowerCase(), links.add(reading));
    link.on('sender_flow', () => this.#pump());
    const gone = (): boolean => links.delete(reading);
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
    if (address === '$management') {
      link.on('message', (context: EventContext) => {
        if (!context.message) return;
        context.delivery?.accept();
        reply(context, manage(this.#hubs, context.message), 'target');
      });
      return;
    }
    const [, name = '', partition] = SENDING.exec(address) ?? [];
    const hub = this.#hubs.get(name.toLowerCase());
    if (hub === undefined || (partition !== undefined && !hub.partitions.has(partition))) refuse(link, address);
    else link.on('message', (context: EventContext) => this.#receive(hub, partition, context));
  }

  #receive(hub: EventHub, partition: string | undefined, { delivery, message }: EventContext): void {
    if (!delivery || !message) return;
    for (const content of messagesOf(message, delivery.format)) {
      hub.append(content, this.#now(), partition === undefined ? {} : { partition });
    }
    this.#file?.flush();
    delivery.accept();
    this.#pump();
  }

  /** Once the current event is dealt with: writes the file, then gives each reader what it has asked for, in turns. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#written = promise;
    setImmediate(() => {
      this.#pumping = false;
      this.#file?.flush();
      resolve();
      const links = [...this.#links.values()].flatMap((each) => [...each]);
      for (let sent = true; sent; ) {
        sent = false;
        for (const link of links) sent = link.sendOne() || sent;
      }
    });
  }
}

/** Where the link begins; one whose place this hub never had is refused, in Azure's words. */
function startOf(link: Sender, partition: Partition): number | undefined {
  const position = startPositionOf(link);
  const start = position && partition.startOf(position);
  if (start !== undefined) return start;
  const condition = 'com.microsoft:argument-error';
  const last = partition.last === undefined ? '-1' : String(partition.last.offset);
  const description = `The supplied offset '${position?.value}' is invalid. The last offset in the system is '${last}'`;
  link.close({ condition, description });
  return undefined;
}

/** A reader with an owner level has its partition for itself: of two, the later one, unless its level is lower. */
function makeRoom(link: Sender, links: Set<ReadingLink>): boolean {
  const epoch = epochOf(link);
  const highest = Math.max(-1, ...[...links].map((other) => other.epoch ?? -1));
  if (highest > (epoch ?? -1)) {
    const description = `A receiver with a higher epoch '${highest}' already exists. A new receiver with epoch ${epoch ?? 'none'} cannot be created.`;
    link.close({ condition: 'amqp:link:stolen', description });
    return false;
  }
  if (epoch === undefined && links.size >= READERS) {
    const description = `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${READERS}.`;
    link.close({ condition: 'amqp:resource-limit-exceeded', description });
    return false;
  }
  if (epoch === undefined) return true;
  for (const other of links) {
    links.delete(other);
    other.disconnect(epoch);
  }
  return true;
}
