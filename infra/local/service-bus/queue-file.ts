import { KeptLines } from '../amqp/kept-lines.ts';
import type { MessageQueue, QueueLog, StoredMessage } from './message-queue.ts';
import { decodeContent, encodeContent } from './wire-message.ts';

/** A line: enqueued, delivered again or deferred, settled. The content is an encoded AMQP message in base64. */
type Line =
  | readonly ['+', string, number, number, number, boolean, string | null, string]
  | readonly ['=', string, number, number, boolean]
  | readonly ['-', string, number];

/**
 * Keeps queues in a file, so that they outlive the broker's process, killed or not. What was enqueued is in the
 * file before its sender hears so; a settlement that was not yet written makes its message come again, as a lock
 * that ran out does. The file is not synced: it outlives the process, not the machine.
 */
export class QueueFile implements QueueLog {
  readonly #file: KeptLines<Line>;
  #queues: ReadonlyMap<string, MessageQueue> = new Map();

  constructor(file: string) {
    this.#file = new KeptLines(file, () => ({ size: this.#size, lines: () => this.#lines() }));
  }

  /** Puts back what the file holds, into queues that tell this file what happens. */
  open(queues: readonly MessageQueue[]): void {
    this.#queues = new Map(queues.map((queue) => [queue.options.name, queue]));
    for (const [name, message] of messagesIn(this.#file.read())) this.#queues.get(name)?.restore(message);
    this.#file.open();
  }

  enqueued(queue: string, message: StoredMessage): void {
    this.#file.append(lineOf(queue, message));
  }

  delivered(queue: string, { sequence, deliveryCount, deferred }: StoredMessage): void {
    this.#file.append(['=', queue, sequence, deliveryCount, deferred]);
  }

  settled(queue: string, sequence: number): void {
    this.#file.append(['-', queue, sequence]);
  }

  /** Writes what was told since the last time. */
  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }

  get #size(): number {
    let live = 0;
    for (const queue of this.#queues.values()) live += queue.size;
    return live;
  }

  #lines(): readonly Line[] {
    return [...this.#queues].flatMap(([name, queue]) => [...queue.messages()].map((message) => lineOf(name, message)));
  }
}

function lineOf(queue: string, message: StoredMessage): Line {
  const { sequence, enqueuedAt, deliveryCount, deferred, deadLetterSource, content } = message;
  const encoded = encodeContent(content).toString('base64');
  return ['+', queue, sequence, enqueuedAt, deliveryCount, deferred, deadLetterSource ?? null, encoded];
}

/** What is left, in the order of sequence numbers. */
function messagesIn(lines: readonly Line[]): readonly (readonly [string, StoredMessage])[] {
  const left = new Map<string, [string, StoredMessage]>();
  for (const line of lines) {
    const id = `${line[2]} ${line[1]}`;
    if (line[0] === '-') left.delete(id);
    else if (line[0] === '=') {
      const message = left.get(id)?.[1];
      if (message) Object.assign(message, { deliveryCount: line[3], deferred: line[4] });
    } else {
      const [, queue, sequence, enqueuedAt, deliveryCount, deferred, source, encoded] = line;
      const content = decodeContent(Buffer.from(encoded, 'base64'));
      const message = { sequence, enqueuedAt, deliveryCount, deferred, deadLetterSource: source ?? undefined, content };
      left.set(id, [queue, message]);
    }
  }
  return [...left.values()].sort(([, a], [, b]) => a.sequence - b.sequence);
}
