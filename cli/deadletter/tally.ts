import type { DeadletterOutcome } from '../../schema/outputs/deadletter.ts';

const DONE: ReadonlySet<DeadletterOutcome['outcome']> = new Set(['requeued', 'applied', 'discarded']);

/** What has become of the letters that were chosen, so far. */
export class Tally {
  /** As a sentence says it. */
  readonly #verb: 'replayed' | 'discarded';
  #done = 0;
  #stay = 0;
  #met = 0;

  constructor(verb: 'replayed' | 'discarded') {
    this.#verb = verb;
  }

  add({ outcome }: DeadletterOutcome): void {
    if (DONE.has(outcome)) this.#done += 1;
    else this.#stay += 1;
  }

  /** Of all letters, some that another replay or discard took first: an expected race, and no failure of this one. */
  addMet(letters: number): void {
    this.#met += letters;
  }

  /** How many letters it has come to. */
  get seen(): number {
    return this.#done + this.#stay + this.#met;
  }

  /** How many are as they were, or are no dead letters, though it has come to them. */
  get stay(): number {
    return this.#stay;
  }

  /** Undefined where nobody else took any. */
  met(): string | undefined {
    if (this.#met === 0) return undefined;
    return `${this.#met} ${were(this.#met)} replayed or discarded by another meanwhile`;
  }

  /** After an interrupt. @param left what it has not come to, in words. */
  interrupted(left: string): string {
    const met = this.met();
    const parts = [
      `${this.#done} ${were(this.#done)} ${this.#verb}`,
      ...(this.#stay === 0 ? [] : [`${this.#stay} could not be`]),
      ...(met === undefined ? [] : [met]),
    ];
    return `Interrupted: ${parts.join(', ')}. Left as they were, as it had not come to them: ${left}.`;
  }
}

function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
