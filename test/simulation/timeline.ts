/** True time, which nobody in the simulated world can read, and what is going to happen in it. */
export class Timeline {
  #now = 0;
  #order = 0;
  readonly #heap: { readonly at: number; readonly order: number; readonly action: () => void }[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  after(delay: number, action: () => void): void {
    const heap = this.#heap;
    const item = { at: this.#now + delay, order: this.#order++, action };
    let at = heap.length;
    heap.push(item);
    for (;;) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (at === 0 || above === undefined || !before(item, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  /** Runs whatever is due until nothing is left, or until `end`. */
  run(end = Number.POSITIVE_INFINITY): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#removeFirst();
      this.#now = first.at;
      first.action();
    }
    if (end !== Number.POSITIVE_INFINITY) this.#now = Math.max(this.#now, end);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && before(right, left)) {
        least = right;
        child++;
      }
      if (!before(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
