/**
 * Fetches the next item while the last one is worked on: one item is held, never more. Ended early, it waits for the
 * fetch that is under way, so that nothing of the source runs on behind the caller's back.
 */
export async function* readAhead<T, R>(source: AsyncGenerator<T, R>): AsyncGenerator<T, R> {
  let next = fetchNext(source);
  let ended = false;
  try {
    for (;;) {
      const step = await next;
      if (step.done === true) {
        ended = true;
        return step.value;
      }
      next = fetchNext(source);
      yield step.value;
    }
  } finally {
    if (!ended) {
      await next.catch(() => {});
      await source.return(undefined as R);
    }
  }
}

/** A failure is met when the item is asked for, not before. */
function fetchNext<T, R>(source: AsyncGenerator<T, R>): Promise<IteratorResult<T, R>> {
  const next = source.next();
  next.catch(() => {});
  return next;
}
