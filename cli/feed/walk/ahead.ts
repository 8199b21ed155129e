/**
 * Begins the work on the next few items while the consumer is at the first of them, and hands the outcomes out in
 * their order. A failure is met when its item is reached, not before.
 *
 * @param width how many are under way or waiting at a time.
 */
export async function* ahead<Item, Outcome>(
  source: AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Outcome>,
): AsyncGenerator<Outcome> {
  const items = source[Symbol.asyncIterator]();
  const begun: Promise<Outcome>[] = [];
  let ended = false;
  const hold = (outcome: Promise<Outcome>): void => {
    outcome.catch(() => {});
    begun.push(outcome);
  };
  const begin = async (): Promise<void> => {
    try {
      const next = await items.next();
      if (next.done !== true) return hold(work(next.value));
    } catch (error) {
      hold(Promise.reject(error));
    }
    ended = true;
  };
  try {
    for (;;) {
      while (!ended && begun.length < width) await begin();
      const first = begun.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    await Promise.allSettled(begun);
    await items.return?.();
  }
}
