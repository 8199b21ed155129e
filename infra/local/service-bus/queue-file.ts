import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { MessageQueue, QueueLog, StoredMessage } from './message-queue.ts';
import { decodeContent, encodeContent } from './wire-message.ts';

/** A line: enqueued, delivered again or deferred, settled. The content is an encoded AMQP message in base64. */
type Line =
  | readonly ['+', string, number, number, number, boolean, string | null, string]
  | readonly ['=', string, number, number, boolean]
  | readonly ['-', string, number];

/** The file is written anew when it holds this many lines more than twice its messages. */
const SLACK_LINES = 50_000;

/**
 * Keeps queues in a file, so that they outlive the broker's process, killed or not. What was enqueued is in the
 * file before its sender hears so; a settlement that was not yet written makes its message come again, as a lock
 * that ran out does. The file is not synced: it outlives the process, not the machine.
 */
export class QueueFile implements QueueLog {
  readonly #file: string;
  #queues: ReadonlyMap<string, MessageQueue> = new Map();
  #pending: string[] = [];
  #descriptor: number | undefined;
  #lines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Puts back what the file holds, into queues that tell this file what happens. */
  open(queues: readonly MessageQueue[]): void {
    this.#queues = new Map(queues.map((queue) => [queue.options.name, queue]));
    for (const [name, message] of readMessages(this.#file)) this.#queues.get(name)?.restore(message);
    this.#descriptor = this.#rewrite();
  }

  enqueued(queue: string, message: StoredMessage): void {
    this.#append(lineOf(queue, message));
  }

  delivered(queue: string, { sequence, deliveryCount, deferred }: StoredMessage): void {
    this.#append(['=', queue, sequence, deliveryCount, deferred]);
  }

  settled(queue: string, sequence: number): void {
    this.#append(['-', queue, sequence]);
  }

  /** Writes what was told since the last time. */
  flush(): void {
    if (this.#pending.length === 0 || this.#descriptor === undefined) return;
    writeSync(this.#descriptor, this.#pending.join(''));
    this.#lines += this.#pending.length;
    this.#pending = [];
    let live = 0;
    for (const queue of this.#queues.values()) live += queue.size;
    if (this.#lines <= SLACK_LINES + 2 * live) return;
    closeSync(this.#descriptor);
    this.#descriptor = this.#rewrite();
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #append(line: Line): void {
    this.#pending.push(`${JSON.stringify(line)}\n`);
  }

  #rewrite(): number {
    const lines = [...this.#queues].flatMap(([name, queue]) =>
      [...queue.messages()].map((message) => `${JSON.stringify(lineOf(name, message))}\n`),
    );
    writeFileSync(`${this.#file}.new`, lines.join(''));
    renameSync(`${this.#file}.new`, this.#file);
    this.#lines = lines.length;
    return openSync(this.#file, 'a');
  }
}

function lineOf(queue: string, message: StoredMessage): Line {
  const { sequence, enqueuedAt, deliveryCount, deferred, deadLetterSource, content } = message;
  const encoded = encodeContent(content).toString('base64');
  return ['+', queue, sequence, enqueuedAt, deliveryCount, deferred, deadLetterSource ?? null, encoded];
}

/** What is left, in the order of sequence numbers. The last line is left out where a kill has cut it. */
function readMessages(file: string): readonly (readonly [string, StoredMessage])[] {
  const left = new Map<string, [string, StoredMessage]>();
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  for (const text of lines) {
    const line = JSON.parse(text) as Line;
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
