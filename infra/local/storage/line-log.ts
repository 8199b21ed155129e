import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A line's number and the byte at which it starts, kept for every so many lines. */
const MARK_EVERY = 1024;

/**
 * A file of lines that only grows. Appends that come together are written together, and each resolves when its
 * line has reached the operating system: a kill of this process loses none that resolved.
 *
 * Memory: eight bytes for every 1,024 lines.
 */
export class LineLog {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #marks: number[];
  #lines: number;
  #bytes: number;
  #durable: number;
  #queue: { readonly text: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, scan: Scan) {
    this.#path = path;
    this.#file = file;
    this.#marks = scan.marks;
    this.#lines = scan.lines;
    this.#durable = scan.lines;
    this.#bytes = scan.bytes;
  }

  /** Opens or creates the file; a last line without its end is what a crash left, and is cut off. */
  static async open(path: string): Promise<LineLog> {
    const file = await open(path, 'a+');
    const scan = await scanLines(file);
    await file.truncate(scan.bytes);
    return new LineLog(path, file, scan);
  }

  /** How many lines have reached the file. */
  get durable(): number {
    return this.#durable;
  }

  /** @returns the line's number, which is settled at once, and when it is in the file. */
  append(line: string): { readonly number: number; readonly written: Promise<void> } {
    const number = this.#lines++;
    const written = new Promise<void>((done, failed) => {
      this.#queue.push({ text: `${line}\n`, done, failed });
    });
    this.#writing ??= this.#drain();
    return { number, written };
  }

  /** At most `max` lines from number `from`, of those that have reached the file. */
  async read(from: number, max: number): Promise<readonly string[]> {
    const count = Math.min(max, this.#durable - from);
    if (count <= 0) return [];
    const mark = Math.floor(from / MARK_EVERY);
    const lines: string[] = [];
    let number = mark * MARK_EVERY;
    for await (const line of linesOf(this.#path, this.#marks[mark] ?? 0)) {
      if (number++ < from) continue;
      lines.push(line);
      if (lines.length === count) break;
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    // Lets the appends of this turn of the event loop join.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#file.appendFile(batch.map((item) => item.text).join(''));
      } catch (error) {
        for (const item of batch) item.failed(error);
        continue;
      }
      for (const item of batch) {
        if (this.#durable % MARK_EVERY === 0) this.#marks[this.#durable / MARK_EVERY] = this.#bytes;
        this.#bytes += Buffer.byteLength(item.text);
        this.#durable += 1;
        item.done();
      }
    }
    this.#writing = undefined;
  }
}

interface Scan {
  readonly marks: number[];
  readonly lines: number;
  readonly bytes: number;
}

async function scanLines(file: FileHandle): Promise<Scan> {
  const marks: number[] = [0];
  const buffer = Buffer.alloc(1 << 20);
  let lines = 0;
  let bytes = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return { marks, lines, bytes };
    const chunk = buffer.subarray(0, bytesRead);
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, end + 1)) {
      lines += 1;
      bytes = at + end + 1;
      if (lines % MARK_EVERY === 0) marks[lines / MARK_EVERY] = bytes;
    }
    at += bytesRead;
  }
}

/** Whole lines from a byte on. A line ends with a newline alone: Node's own reader also ends one at U+2028, which names may hold. */
async function* linesOf(path: string, start: number): AsyncIterable<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    const chunk = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield chunk.toString('utf8', from, end);
      from = end + 1;
    }
    rest = chunk.subarray(from);
  }
}
