import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Runs an activity without a worker: its heartbeats go nowhere, and only the signal cancels it, if there is one. */
export function asActivity<T>(work: () => Promise<T>, signal = new AbortController().signal): Promise<T> {
  const context = { info: {}, heartbeat() {}, cancellationSignal: signal };
  return asyncLocalStorage.run(context as unknown as Context, work);
}
