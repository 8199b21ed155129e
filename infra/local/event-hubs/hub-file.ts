import { KeptLines } from '../amqp/kept-lines.ts';
import type { EventHub, HubLog } from './event-hub.ts';
import type { StoredEvent } from './partition.ts';

/** A line: when a hub was made, an event with its encoded message in base64, or where a partition goes on. */
type Line =
  | readonly ['made', string, number]
  | readonly ['+', string, string, number, number, number, string]
  | readonly ['end', string, string, number, number];

/**
 * Keeps hubs in a file, so that they outlive the broker's process, killed or not. An event is in the file before its
 * sender hears so. The file is not synced: it outlives the process, not the machine.
 */
export class HubFile implements HubLog {
  readonly #file: KeptLines<Line>;
  #hubs: ReadonlyMap<string, EventHub> = new Map();

  constructor(file: string) {
    this.#file = new KeptLines(file, () => ({ size: this.#size, lines: () => this.#lines() }));
  }

  /** Puts back what the file holds, into hubs that tell this file what happens. */
  open(hubs: readonly EventHub[], now: number): void {
    this.#hubs = new Map(hubs.map((hub) => [hub.name, hub]));
    for (const line of this.#file.read()) {
      const hub = this.#hubs.get(line[1]);
      if (line[0] === 'made') {
        hub?.restoreCreation(line[2]);
        continue;
      }
      const partition = hub?.partitions.get(line[2]);
      if (line[0] === 'end') partition?.restoreEnd({ sequence: line[3], offset: line[4] });
      else {
        const [, , , sequence, offset, enqueuedAt, encoded] = line;
        // Files of before told nothing of when their hubs were made.
        hub?.restoreCreation(enqueuedAt);
        partition?.append({ sequence, offset, enqueuedAt, encoded: Buffer.from(encoded, 'base64') });
      }
    }
    for (const hub of hubs) hub.expire(now);
    this.#file.open();
  }

  appended(hub: string, partition: string, event: StoredEvent): void {
    this.#file.append(lineOf(hub, partition, event));
  }

  /** Writes what was told since the last time. */
  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }

  get #size(): number {
    let kept = 0;
    for (const hub of this.#hubs.values()) for (const { size } of hub.partitions.values()) kept += size;
    return kept;
  }

  #lines(): readonly Line[] {
    const lines: Line[] = [];
    for (const [name, hub] of this.#hubs) {
      lines.push(['made', name, hub.createdAt]);
      for (const partition of hub.partitions.values()) {
        for (const event of partition.events()) lines.push(lineOf(name, partition.id, event));
        const { sequence, offset } = partition.end;
        lines.push(['end', name, partition.id, sequence, offset]);
      }
    }
    return lines;
  }
}

function lineOf(hub: string, partition: string, { sequence, offset, enqueuedAt, encoded }: StoredEvent): Line {
  return ['+', hub, partition, sequence, offset, enqueuedAt, encoded.toString('base64')];
}
