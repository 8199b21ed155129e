import type { ReconcileWish } from '../schema/inputs/wish.ts';

/** As many wait at most; then the oldest report makes room, since a later one says all that it would. */
export const MOST_WISHES = 32;

/** The reconciles that a workflow was asked for and has not begun, in order. */
export class Wishes {
  readonly #waiting: ReconcileWish[];
  #current: string | undefined;

  constructor(carried: readonly ReconcileWish[] = []) {
    this.#waiting = [...carried];
  }

  /**
   * Leaves out one that waits already, or that names the report that is judged just now.
   *
   * @returns what had to make room.
   */
  add(wish: ReconcileWish): ReconcileWish | undefined {
    const key = keyOf(wish);
    if (isOfReport(wish) && key === this.#current) return undefined;
    if (this.#waiting.some((each) => keyOf(each) === key)) return undefined;
    this.#waiting.push(wish);
    if (this.#waiting.length <= MOST_WISHES) return undefined;
    const oldest = this.#waiting.findIndex(isOfReport);
    return this.#waiting.splice(Math.max(0, oldest), 1)[0];
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  get waiting(): readonly ReconcileWish[] {
    return this.#waiting;
  }

  /** The next one that may be done, which is the current one from now on. */
  next(may: (wish: ReconcileWish) => boolean = () => true): ReconcileWish | undefined {
    const at = this.#waiting.findIndex(may);
    const [wish] = at < 0 ? [] : this.#waiting.splice(at, 1);
    this.#current = wish && keyOf(wish);
    return wish;
  }
}

/** What two wishes for the same have in common. */
export function keyOf(wish: ReconcileWish): string {
  if ('undo' in wish) return JSON.stringify(['undo', wish.undo]);
  const { judge, prefix, manifest } = wish;
  return JSON.stringify([judge, prefix ?? '', manifest ?? '']);
}

/** Whether it may be done while a run of everything waits for a decision: it neither needs its judge nor says more. */
export function isFree(wish: ReconcileWish): boolean {
  return 'undo' in wish || (wish.prefix ?? '') !== '';
}

function isOfReport(wish: ReconcileWish): boolean {
  return 'manifest' in wish && wish.manifest !== undefined;
}
