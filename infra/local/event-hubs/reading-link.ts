import type { Sender } from 'rhea';
import { wantsMore } from '../amqp/sending.ts';
import type { Partition, StartPosition } from './partition.ts';

const FILTER = 'apache.org:selector-filter:string';
const CLAUSE = /^amqp\.annotation\.(x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time) (>=?) '([^']*)'$/;
const BY = {
  'x-opt-offset': 'offset',
  'x-opt-sequence-number': 'sequence',
  'x-opt-enqueued-time': 'enqueuedAt',
} as const;

/** One client's reader of a partition: it is sent everything from its start on, as fast as it asks for it. */
export class ReadingLink {
  readonly partition: Partition;
  /** The owner level that the client asked for, Azure's epoch; none: it shares the partition with others. */
  readonly epoch: number | undefined;
  /** The most that the client has ever asked for and not yet been given. */
  mostCredit = 0;
  readonly #link: Sender;
  #next: number;

  constructor(link: Sender, partition: Partition, start: number) {
    this.#link = link;
    this.partition = partition;
    this.#next = start;
    this.epoch = epochOf(link);
    link.set_source(link.source);
    link.set_target(link.target);
    // Settled when they are sent: a reader takes nothing out, so there is nothing to settle.
    (link as unknown as { local: { attach: { snd_settle_mode: number } } }).local.attach.snd_settle_mode = 1;
    link.on('sender_flow', () => {
      this.mostCredit = Math.max(this.mostCredit, (link as unknown as { credit: number }).credit);
    });
  }

  /** Sends one event if there is one and the client has asked for it. */
  sendOne(): boolean {
    if (!wantsMore(this.#link)) return false;
    const event = this.partition.at(this.#next);
    if (event === undefined) return false;
    this.#next = event.sequence + 1;
    this.#link.send(event.encoded, undefined, 0);
    return true;
  }

  /** Somebody else reads the partition now. */
  disconnect(by: number): void {
    this.#link.close({
      condition: 'amqp:link:stolen',
      description: `New receiver with higher epoch of '${by}' is created hence current receiver with epoch '${this.epoch}' is getting disconnected.`,
    });
  }
}

/** Azure's own epoch of a link that attaches. */
export function epochOf(link: Sender): number | undefined {
  const { properties } = (link as unknown as { remote: { attach: { properties?: Record<string, unknown> } } }).remote
    .attach;
  const epoch = properties?.['com.microsoft:epoch'];
  return epoch === undefined || epoch === null ? undefined : Number(epoch);
}

/** Where a link wants to begin. @returns undefined where its filter is none that Azure's client sends. */
export function startPositionOf(link: Sender): StartPosition | undefined {
  const filter = link.source?.filter?.[FILTER] as { readonly value?: unknown } | string | undefined;
  const text = typeof filter === 'object' ? String(filter.value) : filter;
  const [, annotation, operator, value = ''] = CLAUSE.exec(text ?? '') ?? [];
  if (annotation === undefined) return undefined;
  const by = BY[annotation as keyof typeof BY];
  const inclusive = operator === '>=';
  if (value === '@latest') return { by, value: Number.POSITIVE_INFINITY, inclusive };
  return { by, value: value === '-1' ? Number.NEGATIVE_INFINITY : Number(value), inclusive };
}
