/**
 * Does work side by side, and waits for all of it to end, also where some of it fails: whoever tries again must not
 * meet the rest of it. Where one fails the signal tells the others to stop.
 *
 * @throws what failed first.
 */
export async function allEnded(
  count: number,
  work: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const each = async () => {
    try {
      await work(either);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(Array.from({ length: count }, each));
  if (stop.signal.aborted) throw stop.signal.reason;
}
