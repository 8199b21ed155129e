import { LineLog } from '../line-log.ts';
import type { EventGridEvent } from './event-grid-event.ts';

const LINES_AT_ONCE = 500;

/** Every event that was published, once, on disk: what `/triggers/replay` tells again. */
export class PublishedLog {
  readonly #log: LineLog;

  constructor(path: string) {
    this.#log = new LineLog(path);
  }

  append(event: EventGridEvent): void {
    this.#log.append(JSON.stringify(event));
  }

  /** The events that stood in the log when it was asked, in the order of their publication. */
  async *read(): AsyncIterable<EventGridEvent> {
    const length = this.#log.length;
    for (let at = 0; at < length; at += LINES_AT_ONCE) {
      const lines = await this.#log.read(at, Math.min(LINES_AT_ONCE, length - at));
      for (const line of lines) yield JSON.parse(line) as EventGridEvent;
    }
  }

  close(): void {
    this.#log.close();
  }
}
