import { createHash } from 'node:crypto';
import rhea, { type Message } from 'rhea';
import { Partition, type Retention, type StoredEvent } from './partition.ts';

const { message: codec, types } = rhea;

/** An event hub, in Azure's own terms. */
export interface HubOptions {
  readonly name: string;
  readonly partitions: number;
  /** @default `$Default` alone */
  readonly consumerGroups?: readonly string[] | undefined;
  /** @default an hour, as in Azure's own emulator */
  readonly retentionMs?: number | undefined;
  /** Events that a partition keeps in memory. @default 100_000 */
  readonly retentionEvents?: number | undefined;
}

/** What a hub tells as it happens, so that it can be kept on disk. */
export interface HubLog {
  appended(hub: string, partition: string, event: StoredEvent): void;
}

const HOUR_MS = 3_600_000;
const EVENTS = 100_000;

/** An event hub: partitions, and which of them an event goes to. */
export class EventHub {
  readonly name: string;
  readonly partitions: ReadonlyMap<string, Partition>;
  readonly #groups: ReadonlySet<string>;
  readonly #retention: Retention;
  readonly #log: HubLog | undefined;
  #turn = 0;
  #createdAt: number;

  constructor(options: HubOptions, createdAt: number, log?: HubLog) {
    this.name = options.name;
    this.#createdAt = createdAt;
    const ids = Array.from({ length: options.partitions }, (_, at) => String(at));
    this.partitions = new Map(ids.map((id) => [id, new Partition(id)]));
    this.#groups = new Set((options.consumerGroups ?? ['$Default']).map((group) => group.toLowerCase()));
    this.#retention = { ms: options.retentionMs ?? HOUR_MS, events: options.retentionEvents ?? EVENTS };
    this.#log = log;
  }

  get createdAt(): number {
    return this.#createdAt;
  }

  /** It is an older one, whose file was read. */
  restoreCreation(at: number): void {
    this.#createdAt = Math.min(this.#createdAt, at);
  }

  hasGroup(name: string): boolean {
    return this.#groups.has(name.toLowerCase());
  }

  /** Appends to the partition that is named, else to that of the partition key, else to each in turn. */
  append(content: Message, now: number, to: { readonly partition?: string; readonly key?: string } = {}): void {
    const key = to.key ?? textOf(content.message_annotations?.['x-opt-partition-key']);
    const partition = this.partitions.get(to.partition ?? this.#choose(key));
    if (partition === undefined) throw new Error(`The event hub ${this.name} has no partition ${to.partition}.`);
    const { sequence, offset } = partition.end;
    const event = { sequence, offset, enqueuedAt: now, encoded: encode(content, { sequence, offset }, now, key) };
    partition.append(event);
    partition.expire(now, this.#retention);
    this.#log?.appended(this.name, partition.id, event);
  }

  /** Removes what retention has done with. */
  expire(now: number): void {
    for (const partition of this.partitions.values()) partition.expire(now, this.#retention);
  }

  /** One partition for one key, for as long as the hub has as many. */
  #choose(key: string | undefined): string {
    const number = key === undefined ? this.#turn++ : createHash('sha1').update(key).digest().readUInt32BE();
    return String(number % this.partitions.size);
  }
}

function encode(
  content: Message,
  { sequence, offset }: { readonly sequence: number; readonly offset: number },
  now: number,
  key: string | undefined,
): Buffer {
  return codec.encode({
    ...content,
    message_annotations: {
      ...content.message_annotations,
      'x-opt-sequence-number': types.wrap_long(sequence),
      'x-opt-offset': String(offset),
      'x-opt-enqueued-time': types.wrap_timestamp(now),
      ...(key === undefined ? {} : { 'x-opt-partition-key': key }),
    },
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
