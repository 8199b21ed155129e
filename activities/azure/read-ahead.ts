/**
 * Fetches the next item while the last one is worked on: one item is held, never more. Ended early, it waits for the
 * fetch that is under way, so that nothing of the source runs on behind the caller's back.
 */
export async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = fetchNext(source);
  try {
    for (;;) {
      const step = await next;
      if (step.done === true) return;
      next = fetchNext(source);
      yield step.value;
    }
  } finally {
    await next.catch(() => {});
    await source.return(undefined);
  }
}

/** A failure is met when the item is asked for, not before. */
function fetchNext<T>(source: AsyncGenerator<T>): Promise<IteratorResult<T>> {
  const next = source.next();
  next.catch(() => {});
  return next;
}
