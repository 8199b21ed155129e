import type { ReconcileInput } from '../schema/inputs/activities.ts';

/** As many wait at most; then the oldest report makes room, since a later one says all that it would. */
export const MOST_WISHES = 32;

/** The reconciles that a workflow was asked for and has not begun, in order. */
export class Wishes {
  readonly #waiting: ReconcileInput[] = [];
  #current: string | undefined;

  /**
   * Leaves out one that waits already, or that names the report that is judged just now.
   *
   * @returns what had to make room.
   */
  add(wish: ReconcileInput): ReconcileInput | undefined {
    const key = keyOf(wish);
    if (wish.manifest !== undefined && key === this.#current) return undefined;
    if (this.#waiting.some((each) => keyOf(each) === key)) return undefined;
    this.#waiting.push(wish);
    if (this.#waiting.length <= MOST_WISHES) return undefined;
    const oldest = this.#waiting.findIndex(({ manifest }) => manifest !== undefined);
    return this.#waiting.splice(Math.max(0, oldest), 1)[0];
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The next one, which is the current one from now on. */
  next(): ReconcileInput | undefined {
    const wish = this.#waiting.shift();
    this.#current = wish && keyOf(wish);
    return wish;
  }
}

function keyOf({ judge, prefix, manifest }: ReconcileInput): string {
  return JSON.stringify([judge, prefix ?? '', manifest ?? '']);
}
