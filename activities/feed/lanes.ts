/** How a lane's failure is taken: `stop` ends the others too, `last` is thrown once they have done all they can. */
export type Severity = 'stop' | 'last';

/**
 * Works through items, a few at a time. All lanes have ended when it returns or throws, so that nothing of it runs on
 * behind the caller's back.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  most: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  severity: (error: unknown) => Severity,
): Promise<void> {
  const queue = [...items];
  const failures: { readonly error: unknown; readonly severity: Severity }[] = [];
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);

  async function lane(): Promise<void> {
    for (let item = queue.shift(); item !== undefined && !either.aborted; item = queue.shift()) {
      try {
        await work(item, either);
      } catch (error) {
        const kind = severity(error);
        failures.push({ error, severity: kind });
        if (kind === 'stop') stopping.abort(error);
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(most, queue.length) }, lane));
  // The first one that stopped the others is the cause of what those threw.
  const failure = failures.find((each) => each.severity === 'stop') ?? failures[0];
  if (failure !== undefined) throw failure.error;
  signal.throwIfAborted();
}
