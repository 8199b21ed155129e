import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

/** The file is written anew when it holds this many lines more than twice what it keeps. */
const SLACK_LINES = 50_000;

/** What a file of lines keeps now. */
export interface Kept<Line> {
  /** Of how many things it tells. */
  readonly size: number;
  /** All of it, as the fewest lines that tell it. */
  lines(): readonly Line[];
}

/**
 * What a broker keeps, as lines of JSON in a file that outlives its process, killed or not. Lines are in the file when
 * they are flushed; it is not synced, so that it outlives the process and not the machine. It is written anew where
 * most of its lines tell what is kept no more.
 */
export class KeptLines<Line> {
  readonly #file: string;
  readonly #kept: () => Kept<Line>;
  #pending: string[] = [];
  #descriptor: number | undefined;
  #lines = 0;

  constructor(file: string, kept: () => Kept<Line>) {
    this.#file = file;
    this.#kept = kept;
  }

  /** As the file has them. The last one is left out where a kill has cut it. */
  read(): readonly Line[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((text) => JSON.parse(text) as Line);
  }

  /** Writes what is kept, and takes more from now on. */
  open(): void {
    this.#descriptor = this.#rewrite();
  }

  append(line: Line): void {
    this.#pending.push(textOf(line));
  }

  /** Writes what was appended since the last time. */
  flush(): void {
    if (this.#pending.length === 0 || this.#descriptor === undefined) return;
    writeSync(this.#descriptor, this.#pending.join(''));
    this.#lines += this.#pending.length;
    this.#pending = [];
    if (this.#lines <= SLACK_LINES + 2 * this.#kept().size) return;
    closeSync(this.#descriptor);
    this.#descriptor = this.#rewrite();
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #rewrite(): number {
    const lines = this.#kept().lines();
    writeFileSync(`${this.#file}.new`, lines.map(textOf).join(''));
    renameSync(`${this.#file}.new`, this.#file);
    this.#lines = lines.length;
    return openSync(this.#file, 'a');
  }
}

function textOf(line: unknown): string {
  return `${JSON.stringify(line)}\n`;
}
