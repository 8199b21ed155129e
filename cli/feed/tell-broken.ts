import { printable, type Terminal } from '../terminal.ts';
import type { Broken, Note } from './walk/broken.ts';

/** So many are kept until the end; what is more is said at once. */
const KEPT = 1_000;

/**
 * Says what is broken, once everything that is whole was printed. Whatever the end is, what was found is said:
 * `using told = new BrokenThings(terminal)`.
 */
export class BrokenThings implements Disposable {
  readonly #terminal: Terminal;
  #kept: Broken[] = [];
  #count = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get count(): number {
    return this.#count;
  }

  add(found: Broken): void {
    this.#count++;
    this.#kept.push(found);
    if (this.#kept.length > KEPT) this.#say();
  }

  #say(): void {
    for (const each of this.#kept) this.#terminal.say(placeLine('BROKEN', each));
    this.#kept = [];
  }

  [Symbol.dispose](): void {
    this.#say();
    if (this.#count > 0)
      this.#terminal.say(`${this.#count === 1 ? 'One thing is' : `${this.#count} things are`} broken.`);
  }
}

/** A place of the feed that cannot be read, in one line. */
export function placeLine(word: 'BROKEN' | 'SKIPPED', { path, offset, until, why }: Omit<Broken, 'kind'>): string {
  const left = until === undefined ? '' : ` (left out up to byte ${until})`;
  return printable(`${word}  ${path} at byte ${offset}: ${why}${left}`);
}

/** What is odd and not broken, in one line. */
export function noteLine({ path, why }: Note): string {
  return printable(`NOTE  ${path}: ${why}`);
}
