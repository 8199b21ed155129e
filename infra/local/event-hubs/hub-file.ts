import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { EventHub, HubLog } from './event-hub.ts';
import type { StoredEvent } from './partition.ts';

/** A line: an event with its encoded message in base64, or where a partition goes on. */
type Line =
  | readonly ['+', string, string, number, number, number, string]
  | readonly ['end', string, string, number, number];

/** The file is written anew when it holds this many lines more than twice the events that are kept. */
const SLACK_LINES = 50_000;

/**
 * Keeps hubs in a file, so that they outlive the broker's process, killed or not. An event is in the file before its
 * sender hears so. The file is not synced: it outlives the process, not the machine.
 */
export class HubFile implements HubLog {
  readonly #file: string;
  #hubs: ReadonlyMap<string, EventHub> = new Map();
  #pending: string[] = [];
  #descriptor: number | undefined;
  #lines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Puts back what the file holds, into hubs that tell this file what happens. */
  open(hubs: readonly EventHub[], now: number): void {
    this.#hubs = new Map(hubs.map((hub) => [hub.name, hub]));
    for (const line of readLines(this.#file)) {
      const partition = this.#hubs.get(line[1])?.partitions.get(line[2]);
      if (line[0] === 'end') partition?.restoreEnd({ sequence: line[3], offset: line[4] });
      else {
        const [, , , sequence, offset, enqueuedAt, encoded] = line;
        partition?.append({ sequence, offset, enqueuedAt, encoded: Buffer.from(encoded, 'base64') });
      }
    }
    for (const hub of hubs) hub.expire(now);
    this.#descriptor = this.#rewrite();
  }

  appended(hub: string, partition: string, event: StoredEvent): void {
    this.#pending.push(textOf(lineOf(hub, partition, event)));
  }

  /** Writes what was told since the last time. */
  flush(): void {
    if (this.#pending.length === 0 || this.#descriptor === undefined) return;
    writeSync(this.#descriptor, this.#pending.join(''));
    this.#lines += this.#pending.length;
    this.#pending = [];
    let kept = 0;
    for (const hub of this.#hubs.values()) for (const { size } of hub.partitions.values()) kept += size;
    if (this.#lines <= SLACK_LINES + 2 * kept) return;
    closeSync(this.#descriptor);
    this.#descriptor = this.#rewrite();
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #rewrite(): number {
    const lines: string[] = [];
    for (const [name, hub] of this.#hubs) {
      for (const partition of hub.partitions.values()) {
        for (const event of partition.events()) lines.push(textOf(lineOf(name, partition.id, event)));
        const { sequence, offset } = partition.end;
        lines.push(textOf(['end', name, partition.id, sequence, offset]));
      }
    }
    writeFileSync(`${this.#file}.new`, lines.join(''));
    renameSync(`${this.#file}.new`, this.#file);
    this.#lines = lines.length;
    return openSync(this.#file, 'a');
  }
}

function lineOf(hub: string, partition: string, { sequence, offset, enqueuedAt, encoded }: StoredEvent): Line {
  return ['+', hub, partition, sequence, offset, enqueuedAt, encoded.toString('base64')];
}

function textOf(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** The last line is left out where a kill has cut it. */
function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((text) => JSON.parse(text) as Line);
}
