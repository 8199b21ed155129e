/**
 * Gives up on an answer that does not come, so that whoever watches over a source is not held up by it: the work is
 * told to stop, and is not waited for even where it does not.
 *
 * @throws what `work` throws; the signal's reason; or an error that says who did not answer.
 */
export async function answerWithin<T>(
  ms: number,
  who: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const stop = AbortSignal.any([signal, late.signal]);
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  stop.addEventListener('abort', () => stopped.reject(stop.reason), { once: true });
  if (stop.aborted) stopped.reject(stop.reason);
  const timer = setTimeout(() => late.abort(new Error(`${who} did not answer within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([work(stop), stopped.promise]);
  } catch (error) {
    // A client's own word for an abort says less than why it was aborted.
    throw stop.aborted ? stop.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
