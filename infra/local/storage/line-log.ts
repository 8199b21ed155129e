import { closeSync, createReadStream, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** A line's byte is kept for every so many lines. */
const MARK_EVERY = 1024;

/**
 * A file of lines that only grows. A line is with the operating system when `append` returns: a kill of this
 * process loses none. Written synchronously on purpose: for lines of a kilobyte the way over Node's thread pool
 * cost a third of the front's time for a small put, where the write itself takes microseconds.
 *
 * Memory: eight bytes for every 1,024 lines.
 */
export class LineLog {
  readonly #file: number;
  readonly #path: string;
  readonly #marks: number[];
  #lines: number;
  #bytes: number;

  /** Opens or creates the file; a last line without its end is what a crash left, and is cut off. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a+');
    const scan = scanLines(this.#file);
    ftruncateSync(this.#file, scan.bytes);
    this.#marks = scan.marks;
    this.#lines = scan.lines;
    this.#bytes = scan.bytes;
  }

  get length(): number {
    return this.#lines;
  }

  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.#bytes += bytes.length;
    this.#lines += 1;
    if (this.#lines % MARK_EVERY === 0) this.#marks[this.#lines / MARK_EVERY] = this.#bytes;
  }

  /** At most `max` lines from number `from`. */
  async read(from: number, max: number): Promise<readonly string[]> {
    const count = Math.min(max, this.#lines - from);
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

  close(): void {
    closeSync(this.#file);
  }
}

interface Scan {
  readonly marks: number[];
  readonly lines: number;
  readonly bytes: number;
}

function scanLines(file: number): Scan {
  const marks: number[] = [0];
  const buffer = Buffer.alloc(1 << 20);
  let lines = 0;
  let bytes = 0;
  for (let at = 0; ; ) {
    const bytesRead = readSync(file, buffer, 0, buffer.length, at);
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
