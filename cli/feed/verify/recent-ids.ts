/** So many are remembered at least, and twice as many at most. */
const REMEMBERED = 50_000;

/**
 * Whether an id came a short while ago: a record that was appended twice stands close to itself. What is remembered
 * does not grow with the chunk.
 */
export class RecentIds {
  #older = new Set<string>();
  #newer = new Set<string>();

  /** @returns whether it was seen before. */
  add(id: string): boolean {
    if (this.#newer.has(id) || this.#older.has(id)) return true;
    if (this.#newer.size >= REMEMBERED) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(id);
    return false;
  }

  clear(): void {
    this.#older.clear();
    this.#newer.clear();
  }
}
