import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Runs an activity without a worker: its heartbeats go nowhere, and nobody cancels it. */
export function asActivity<T>(work: () => Promise<T>): Promise<T> {
  const context = { info: {}, heartbeat() {}, cancellationSignal: new AbortController().signal };
  return asyncLocalStorage.run(context as unknown as Context, work);
}
