/** One event of a partition, as it goes over the wire. */
export interface StoredEvent {
  readonly sequence: number;
  /** Of its first byte in the partition: greater than the one before, and not the sequence. */
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly enqueuedAt: number;
  readonly encoded: Buffer;
}

/** Where a partition's next event goes. */
export interface PartitionEnd {
  readonly sequence: number;
  readonly offset: number;
}

/** How long events are kept. */
export interface Retention {
  readonly ms: number;
  /** Events of a partition; Azure has no such bound, but this broker keeps them in memory. */
  readonly events: number;
}

/** What a reader asks for: everything after a place, or from it on. */
export interface StartPosition {
  readonly by: 'offset' | 'sequence' | 'enqueuedAt';
  /** Minus infinity: the oldest event there is. Infinity: none of those that are there. */
  readonly value: number;
  readonly inclusive: boolean;
}

/**
 * A partition of an event hub: an append-only log whose oldest events retention removes. No I/O and no timers.
 *
 * Maintained invariant: sequence numbers are contiguous, also over what was removed.
 */
export class Partition {
  readonly id: string;
  #events: StoredEvent[] = [];
  /** Of `#events`, so many at its front are removed. */
  #removed = 0;
  #next: PartitionEnd = { sequence: 0, offset: 0 };
  #last: StoredEvent | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** Where the next event goes. */
  get end(): PartitionEnd {
    return this.#next;
  }

  /** The newest event, also where it is removed by now. */
  get last(): StoredEvent | undefined {
    return this.#last;
  }

  /** The sequence number of the oldest event, or of the next one where there is none. */
  get begin(): number {
    return this.#events[this.#removed]?.sequence ?? this.#next.sequence;
  }

  get size(): number {
    return this.#events.length - this.#removed;
  }

  /** Puts an event at the end; its sequence is the end's. */
  append(event: StoredEvent): void {
    this.#events.push(event);
    this.#last = event;
    this.#next = { sequence: event.sequence + 1, offset: event.offset + event.encoded.length };
  }

  /** Where everything was removed, the numbers go on all the same. */
  restoreEnd(end: PartitionEnd): void {
    this.#next = end;
  }

  /** Removes what is older than retention allows. */
  expire(now: number, { ms, events }: Retention): void {
    while (this.size > events || (this.size > 0 && (this.#events[this.#removed]?.enqueuedAt ?? now) < now - ms)) {
      this.#removed++;
    }
    this.#compact();
  }

  /** Removes every event before this one. */
  removeBefore(sequence: number): void {
    while (this.size > 0 && (this.#events[this.#removed]?.sequence ?? sequence) < sequence) this.#removed++;
    this.#compact();
  }

  /** The event of this number, or the oldest after it. */
  at(sequence: number): StoredEvent | undefined {
    return this.#events[this.#removed + Math.max(0, sequence - this.begin)];
  }

  events(): readonly StoredEvent[] {
    return this.#events.slice(this.#removed);
  }

  /**
   * The number of the first event that a reader gets. What was removed is passed over without a word, as in Azure.
   *
   * @returns undefined where the place is behind the end: it is of another hub of the same name.
   */
  startOf({ by, value, inclusive }: StartPosition): number | undefined {
    if (value === Number.POSITIVE_INFINITY) return this.#next.sequence;
    if (by !== 'enqueuedAt' && value >= this.#next[by]) return undefined;
    const found = this.events().find((event) => (inclusive ? event[by] >= value : event[by] > value));
    return found?.sequence ?? this.#next.sequence;
  }

  #compact(): void {
    if (this.#removed < 1_000 || this.#removed * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#removed);
    this.#removed = 0;
  }
}
