import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';
import { sql } from 'kysely';
import { parseSequencer } from '../../namespace/sequencer.ts';
import type { Index } from '../../schema/index/database.ts';
import { FeedWatch, type ReadableRecord } from './feed-watch.ts';

/** A record that waits for the index. */
interface Waiting {
  readonly sequencer: string;
  readonly eventTime: number;
  readonly readableAt: number;
}

/** A change that has reached the index. */
export interface Arrival {
  readonly name: string;
  readonly readableAt: number;
  readonly ms: number;
}

export interface LatencyProbeOptions {
  /** `$blobchangefeed`. */
  readonly feed: ContainerClient;
  readonly index: Index;
  /** Changes of this container count. */
  readonly container: string;
  /** How often each side is looked at: what a figure may be too long by, twice. @default 50 */
  readonly everyMs?: number | undefined;
}

/**
 * Measures, for every change of one container, the time from "its record is readable in the feed" to "the index
 * has it or a later one of the same blob, or a later look at it". Both sides are watched from outside the process
 * that is measured.
 */
export class LatencyProbe implements AsyncDisposable {
  readonly #options: LatencyProbeOptions;
  readonly #stopped = new AbortController();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #watch: FeedWatch;
  readonly #running: Promise<unknown>;
  #arrivals: Arrival[] = [];
  #seen = 0;
  #lastError: string | undefined;

  constructor(options: LatencyProbeOptions) {
    this.#options = options;
    this.#watch = new FeedWatch(options.feed, (record) => this.#take(record));
    const everyMs = options.everyMs ?? 50;
    const { signal } = this.#stopped;
    this.#running = Promise.all([this.#watch.run(everyMs, signal), this.#watchIndex(everyMs, signal)]);
  }

  /** Records of the container that were readable so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Names with records that the index does not have yet. */
  get waiting(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  get lastError(): string | undefined {
    return this.#lastError ?? this.#watch.lastError;
  }

  /** The changes since the last call, in the order in which they came to the index. */
  take(): readonly Arrival[] {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    return arrivals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  #take({ subject, eventTime, sequencer, readableAt }: ReadableRecord): void {
    const prefix = `/blobServices/default/containers/${this.#options.container}/blobs/`;
    if (!subject.startsWith(prefix)) return;
    this.#seen++;
    const name = subject.slice(prefix.length);
    const list = this.#waiting.get(name) ?? [];
    list.push({ sequencer: parseSequencer(sequencer) ?? '', eventTime: Date.parse(eventTime), readableAt });
    this.#waiting.set(name, list);
  }

  async #watchIndex(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#askIndex().then(
        () => {
          this.#lastError = undefined;
        },
        (error: unknown) => {
          this.#lastError = String(error);
        },
      );
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #askIndex(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { rows } = await sql<{ head: string; sequencer: string | null; look: number | null }>`
      select e.head, encode(e.sequencer, 'hex') as sequencer, case when not e.look_due then e.look end as look
      from entries as e join containers as c on c.account_id = e.account_id and c.id = e.container_id
      where c.name = ${this.#options.container} and e.head = any(${[...this.#waiting.keys()]}::text[])`.execute(
      this.#options.index.db,
    );
    const now = Date.now();
    for (const { head, sequencer, look } of rows) {
      const list = this.#waiting.get(head) ?? [];
      const has = (waiting: Waiting) =>
        waiting.sequencer <= (sequencer ?? '') || (look !== null && waiting.eventTime <= look);
      for (const waiting of list) {
        if (!has(waiting)) continue;
        const { readableAt } = waiting;
        this.#arrivals.push({ name: head, readableAt, ms: now - readableAt });
      }
      const left = list.filter((waiting) => !has(waiting));
      if (left.length === 0) this.#waiting.delete(head);
      else this.#waiting.set(head, left);
    }
  }
}
