/**
 * The sequence numbers that wait for a receiver, smallest first. New ones arrive in order and are kept as a
 * list with a moving head; those that come back are few and are kept sorted apart.
 */
export class Ready {
  #fresh: number[] = [];
  #head = 0;
  /** Descending, so that the smallest is popped. */
  readonly #returned: number[] = [];

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length;
  }

  /** Adds a number that is larger than all before it. */
  add(sequence: number): void {
    this.#fresh.push(sequence);
  }

  giveBack(sequence: number): void {
    let low = 0;
    let high = this.#returned.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#returned[middle] ?? 0) > sequence) low = middle + 1;
      else high = middle;
    }
    this.#returned.splice(low, 0, sequence);
  }

  /** Removes and returns the smallest. */
  take(): number | undefined {
    const returned = this.#returned.at(-1);
    const fresh = this.#fresh[this.#head];
    if (returned !== undefined && (fresh === undefined || returned < fresh)) return this.#returned.pop();
    if (fresh === undefined) return undefined;
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#head);
      this.#head = 0;
    }
    return fresh;
  }
}
