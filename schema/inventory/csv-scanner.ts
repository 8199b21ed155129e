import { counted } from '../counted.ts';

const QUOTE = 34;
const COMMA = 44;
const CR = 13;
const LF = 10;

/** Characters of one record; a name has 1,024, a blob's metadata 8,192. */
const MOST = 1 << 20;

/**
 * Splits CSV into records (RFC 4180: a field that holds commas, quotes or line breaks is quoted, and its quotes are
 * doubled), text by text, cut anywhere. Empty lines are passed over.
 *
 * It is our own because a report of ten million rows is to be read within seconds: `csv-parse` takes 12 µs of
 * processor for a row of 13 fields, and the fastest library, `udsv`, takes what is no CSV for CSV, or all memory.
 */
export class CsvScanner {
  readonly #header: (names: readonly string[]) => readonly number[];
  readonly #record: (cells: readonly string[]) => void;
  /** Where the fields of a record go; undefined before the header. */
  #slots: readonly number[] | undefined;
  #cells: string[] = [];
  #rest = '';
  #line = 1;

  /**
   * @param header is given the first record, and says for each of its columns which cell of a record it becomes; -1
   * for one that is not wanted.
   * @param record is given each other record. The cells are those of the next one after it returns.
   */
  constructor(header: (names: readonly string[]) => readonly number[], record: (cells: readonly string[]) => void) {
    this.#header = header;
    this.#record = record;
  }

  /** @throws Error with the line where the text is no CSV, or a record has other columns than the header. */
  read(text: string): void {
    const whole = this.#rest + text;
    const end = this.#records(whole, false);
    if (whole.length - end > MOST) throw this.#error(`begins a record of more than ${MOST} characters`);
    this.#rest = whole.slice(end);
  }

  /** Nothing follows: what is left is the last record. */
  end(): void {
    this.#records(this.#rest, true);
    this.#rest = '';
  }

  /** @returns where the first record begins that is not whole. */
  #records(text: string, last: boolean): number {
    let start = 0;
    while (start < text.length) {
      const first = text.charCodeAt(start);
      if (first === LF || (first === CR && text.charCodeAt(start + 1) === LF)) {
        start += first === LF ? 1 : 2;
        this.#line++;
        continue;
      }
      const end = this.#fields(text, start, last);
      if (end < 0) break;
      start = end;
    }
    return start;
  }

  /** @returns where the record ends that begins here; -1 where more must come. */
  #fields(text: string, start: number, last: boolean): number {
    const slots = this.#slots;
    const cells = slots === undefined ? [] : this.#cells;
    let column = 0;
    let lines = 1;
    for (let at = start; ; column++) {
      const slot = slots === undefined ? column : (slots[column] ?? -1);
      let end: number;
      if (text.charCodeAt(at) === QUOTE) {
        end = closing(text, at);
        if (end < 0 && last) throw this.#error('has a quote that is not closed');
        if (end < 0 || (end === text.length && !last)) return -1;
        const field = text.slice(at + 1, end - 1);
        if (slot >= 0) cells[slot] = field.includes('"') ? field.replaceAll('""', '"') : field;
        for (let lf = field.indexOf('\n'); lf >= 0; lf = field.indexOf('\n', lf + 1)) lines++;
      } else {
        end = plainEnd(text, at);
        if (end === text.length && !last) return -1;
        if (slot >= 0) cells[slot] = text.slice(at, end);
      }
      const after = text.charCodeAt(end);
      if (after === COMMA) {
        at = end + 1;
        continue;
      }
      const breaks = after === LF ? 1 : after === CR && text.charCodeAt(end + 1) === LF ? 2 : 0;
      if (breaks === 0 && end < text.length) {
        if (after === CR && end + 1 === text.length && !last) return -1;
        throw this.#error('has a quote or a carriage return where none may be');
      }
      this.#take(cells, column + 1);
      this.#line += lines;
      return end + breaks;
    }
  }

  #take(cells: string[], columns: number): void {
    if (this.#slots === undefined) {
      this.#slots = this.#header(cells);
      this.#cells = Array.from<string>({ length: Math.max(0, ...this.#slots.map((slot) => slot + 1)) }).fill('');
      return;
    }
    const expected = this.#slots.length;
    if (columns !== expected) throw this.#error(`has ${counted(columns, 'column')}, its header ${expected}`);
    this.#record(cells);
  }

  #error(what: string): Error {
    return new Error(`line ${this.#line} ${what}`);
  }
}

/** Where a field that is not quoted ends: at a comma, a line break, a quote, which may not be there, or the text's end. */
function plainEnd(text: string, from: number): number {
  const { length } = text;
  let at = from;
  for (; at < length; at++) {
    const unit = text.charCodeAt(at);
    // Nearly every character is above these four.
    if (unit <= COMMA && (unit === COMMA || unit === LF || unit === CR || unit === QUOTE)) break;
  }
  return at;
}

/** What stands behind the closing quote of the field that opens here; -1 where it is not there yet. */
function closing(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text.charCodeAt(at + 1) !== QUOTE) return at + 1;
  }
  return -1;
}
