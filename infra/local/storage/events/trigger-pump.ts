import type { Clock } from '../../../../schema/ports/clock.ts';
import type { FaultSwitches } from '../faults.ts';
import type { Journal, NumberedEntry } from '../journal.ts';
import type { StateFile } from '../state-file.ts';
import { DeadLetterWriter } from './dead-letter-writer.ts';
import { eventsOf } from './event-grid.ts';
import type { EventGridEvent } from './event-grid-event.ts';
import type { PublishedLog } from './published-log.ts';

export interface TriggerState {
  /** Entries below this are published, dropped, or nothing that triggers tell. */
  readonly next: number;
  readonly published: number;
  readonly dropped: number;
  /** A state that was written before has none. */
  readonly deadLettered?: number | undefined;
}

const ENTRIES_AT_ONCE = 256;
const PUBLISHED_AT_ONCE = 64;
const SAVE_EVERY_MS = 500;
const REORDER_GATHERS_MS = 100;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** Switches are settable while an event waits for its time. */
const DELAY_STEP_MS = 50;

export interface TriggerPumpParts {
  readonly journal: Journal;
  readonly publish: (event: EventGridEvent) => Promise<void>;
  readonly deadLetters: DeadLetterWriter;
  readonly state: StateFile<TriggerState>;
  readonly log: PublishedLog;
  readonly faults: FaultSwitches;
  readonly clock: Clock;
  readonly random: () => number;
  /** Scheme, host and port of the account's endpoint, for the events' urls. */
  readonly origin: () => string;
  /** Whether events are told as of an account with a hierarchical namespace. */
  readonly hierarchical: boolean;
}

/**
 * Publishes what Event Grid would, from the journal: at least once, also over restarts, and tried again for as
 * long as publishing fails. Up to 64 at once, so in no strict order, as Event Grid.
 */
export class TriggerPump {
  readonly #parts: TriggerPumpParts;
  readonly #underWay = new Set<Promise<void>>();
  /** Entries that were taken and are neither published nor dropped yet. */
  readonly #owed = new Set<number>();
  readonly #stop = new AbortController();
  #next = 0;
  #published = 0;
  #dropped = 0;
  #deadLettered = 0;
  #lastError: string | undefined;
  #running: Promise<void> = Promise.resolve();
  #replaying = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: TriggerPumpParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const state = await this.#parts.state.read();
    this.#next = Math.min(state?.next ?? 0, this.#parts.journal.length);
    this.#published = state?.published ?? 0;
    this.#dropped = state?.dropped ?? 0;
    this.#deadLettered = state?.deadLettered ?? 0;
    this.#running = this.#keepRunning();
    this.#timer = setInterval(() => void this.#save().catch(() => undefined), SAVE_EVERY_MS);
  }

  /** Entries whose event is not out yet, and events that are being replayed. */
  get pending(): number {
    return this.#parts.journal.length - this.#next + this.#owed.size + this.#replaying;
  }

  get published(): number {
    return this.#published;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get deadLettered(): number {
    return this.#deadLettered;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Publishes all that was ever published again, so many times. @returns how many events that were. */
  async replay(times: number): Promise<number> {
    let events = 0;
    const slots = new Set<Promise<unknown>>();
    for (let round = 0; round < times; round++) {
      for await (const event of this.#parts.log.read()) {
        if (slots.size >= PUBLISHED_AT_ONCE) await Promise.race(slots);
        this.#replaying += 1;
        const sent = this.#publish(event).finally(() => {
          this.#replaying -= 1;
          slots.delete(sent);
        });
        slots.add(sent);
        events += 1;
      }
    }
    await Promise.all(slots);
    return events;
  }

  /** What is not out yet is published by the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    await this.#running;
    await Promise.allSettled(this.#underWay);
    await this.#save();
  }

  async #keepRunning(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#run();
      } catch (error) {
        this.#note(error);
        await this.#parts.clock.sleep(LAST_RETRY_MS, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  #note(error: unknown): void {
    this.#lastError = String(error);
  }

  async #run(): Promise<void> {
    const { journal, faults, clock, random } = this.#parts;
    while (!this.#stop.signal.aborted) {
      if (this.#next >= journal.length) {
        await this.#moreToRead();
        continue;
      }
      const reorder = faults.current.triggers.reorder;
      if (reorder) await clock.sleep(REORDER_GATHERS_MS, this.#stop.signal).catch(() => undefined);
      const entries = await journal.read(this.#next, ENTRIES_AT_ONCE);
      // Until the last of them is on its way, the place that is kept is the first's.
      for (const entry of reorder ? shuffled(entries, random) : entries) {
        if (!(await this.#isDue(entry))) return;
        while (this.#underWay.size >= PUBLISHED_AT_ONCE) await Promise.race(this.#underWay);
        if (this.#stop.signal.aborted) return;
        this.#owed.add(entry.number);
        const done = this.#deliver(entry)
          .catch((error: unknown) => this.#note(error))
          .finally(() => this.#underWay.delete(done));
        this.#underWay.add(done);
        if (!reorder) this.#next = entry.number + 1;
      }
      this.#next = Math.max(this.#next, (entries.at(-1)?.number ?? -1) + 1);
    }
  }

  #moreToRead(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        unsubscribe();
        this.#stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const unsubscribe = this.#parts.journal.onGrowth(done);
      this.#stop.signal.addEventListener('abort', done);
      // An entry may have come, or the stop, before anyone listened.
      if (this.#next < this.#parts.journal.length || this.#stop.signal.aborted) done();
    });
  }

  /** Waits for the delay that is set. @returns false when stopped. */
  async #isDue({ entry }: NumberedEntry): Promise<boolean> {
    const { clock, faults } = this.#parts;
    const time = Date.parse(entry.time);
    while (!this.#stop.signal.aborted) {
      const wait = time + faults.current.triggers.delayMs - clock.now();
      if (faults.current.triggers.delayMs === 0 || wait <= 0) return true;
      await clock.sleep(Math.min(wait, DELAY_STEP_MS), this.#stop.signal).catch(() => undefined);
    }
    return false;
  }

  async #deliver({ number, entry }: NumberedEntry): Promise<void> {
    const { faults, origin, hierarchical, deadLetters } = this.#parts;
    for (const event of eventsOf(entry, origin(), hierarchical)) {
      const { dropRate, duplicateRate, deadLetterRate } = faults.current.triggers;
      if (faults.happens(dropRate)) {
        this.#dropped += 1;
        continue;
      }
      if (!DeadLetterWriter.isOwn(event) && faults.happens(deadLetterRate)) {
        if (!(await this.#publish(event, (each) => deadLetters.write(each)))) return;
        this.#deadLettered += 1;
        continue;
      }
      // Still owed: the next start publishes it.
      if (!(await this.#publish(event))) return;
      this.#published += 1;
      this.#parts.log.append(event);
      if (faults.happens(duplicateRate)) await this.#publish(event);
    }
    this.#owed.delete(number);
  }

  /** Tries until it is out. @returns false when stopped before. */
  async #publish(event: EventGridEvent, how = this.#parts.publish): Promise<boolean> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await how(event);
        this.#lastError = undefined;
        return true;
      } catch (error) {
        this.#note(error);
      }
      if (this.#stop.signal.aborted) return false;
      await this.#parts.clock.sleep(wait, this.#stop.signal).catch(() => undefined);
    }
  }

  async #save(): Promise<void> {
    // What is under way may yet fail: the next start begins with the oldest of it.
    const next = Math.min(this.#next, ...this.#owed);
    const counts = { published: this.#published, dropped: this.#dropped, deadLettered: this.#deadLettered };
    await this.#parts.state.write({ next, ...counts });
  }
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
