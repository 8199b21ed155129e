import type { JournalEntry } from './change.ts';
import { LineLog } from './line-log.ts';
import { ticksOf } from './sequencer-source.ts';

/** The newest entries are kept in memory, so that whoever keeps up reads no file. */
const RECENT = 8_192;

export interface NumberedEntry {
  readonly number: number;
  readonly entry: JournalEntry;
}

/**
 * Every change of the account in the order of its sequencers, on disk. It is the one truth from which triggers
 * and feed are made: each keeps its place in it, so a restart loses neither.
 */
export class Journal {
  readonly #log: LineLog;
  readonly #recent: JournalEntry[] = [];
  #recentFrom: number;
  readonly #listeners = new Set<() => void>();
  /** The ticks of the newest change on disk when the journal was opened: the next sequencer is above. */
  readonly lastTicks: bigint;

  private constructor(log: LineLog, lastTicks: bigint) {
    this.#log = log;
    this.#recentFrom = log.length;
    this.lastTicks = lastTicks;
  }

  static async open(path: string): Promise<Journal> {
    const log = new LineLog(path);
    return new Journal(log, await newestTicks(log));
  }

  /** How many entries there are to read. */
  get length(): number {
    return this.#log.length;
  }

  /** A crash can no longer lose the entry when this returns. Entries are numbered in the order of the calls. */
  append(entry: JournalEntry): void {
    this.#log.append(JSON.stringify(entry));
    this.#recent.push(entry);
    if (this.#recent.length > 2 * RECENT) this.#recentFrom += this.#recent.splice(0, RECENT).length;
    for (const listener of this.#listeners) listener();
  }

  async read(from: number, max: number): Promise<readonly NumberedEntry[]> {
    const count = Math.min(max, this.length - from);
    if (count <= 0) return [];
    const entries =
      from >= this.#recentFrom
        ? this.#recent.slice(from - this.#recentFrom, from - this.#recentFrom + count)
        : (await this.#log.read(from, count)).map((line) => JSON.parse(line) as JournalEntry);
    return entries.map((entry, index) => ({ number: from + index, entry }));
  }

  /** Calls back whenever there is more to read, until the returned function is called. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#log.close();
  }
}

/** Announcements carry no sequencer; there is a change within a few lines of the end, or there is none to respect. */
async function newestTicks(log: LineLog): Promise<bigint> {
  for (let end = log.length; end > 0; end -= 256) {
    const from = Math.max(0, end - 256);
    for (const line of [...(await log.read(from, end - from))].reverse()) {
      const entry = JSON.parse(line) as JournalEntry;
      if (entry.kind === 'blob') return ticksOf(entry.sequencer);
    }
  }
  return 0n;
}
