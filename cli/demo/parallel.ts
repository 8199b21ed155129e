import pLimit from 'p-limit';

/** Runs the work for every item, so many at once, and hands back the results in the items' order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, at: number) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(atOnce);
  return Promise.all(items.map((item, at) => limit(() => work(item, at))));
}
