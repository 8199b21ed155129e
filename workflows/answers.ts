import type { Asked, ReconcileWish } from '../schema/inputs/wish.ts';
import { keyOf, type Wishes } from './wishes.ts';

/** What came of a wish, or why nothing did. */
export type Answer = Asked | { readonly kind: 'failed'; readonly reason: string };

type Waiting = PromiseWithResolvers<Answer>;

/** Who waits for what came of a wish. Whoever asks for what waits already, or is done just now, is told the same. */
export class Answers {
  readonly #waiting = new Map<string, Waiting>();
  #current: Waiting | undefined;

  /** Resolves once the wish is done; nothing of it is thrown. */
  async of(wish: ReconcileWish, wishes: Wishes): Promise<Answer> {
    const key = keyOf(wish);
    const isWaiting = wishes.waiting.some((each) => keyOf(each) === key);
    const waiting = (isWaiting ? this.#waiting.get(key) : this.#current) ?? Promise.withResolvers<Answer>();
    if (isWaiting) this.#waiting.set(key, waiting);
    else this.#current = waiting;
    return await waiting.promise;
  }

  /** What is done from now on; undefined for what nobody wished for. */
  begin(wish: ReconcileWish | undefined): void {
    this.#current = wish && this.#take(keyOf(wish));
  }

  /** What came of what was begun last. */
  tell(answer: Answer): void {
    this.#current?.resolve(answer);
    this.#current = undefined;
  }

  /** Answers what has not begun. */
  tellWaiting(wishes: readonly ReconcileWish[], answer: Answer): void {
    for (const wish of wishes) this.#take(keyOf(wish))?.resolve(answer);
  }

  #take(key: string): Waiting | undefined {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting;
  }
}
