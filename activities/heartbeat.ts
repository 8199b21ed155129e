import { Context } from '@temporalio/activity';

/** Tells Temporal each second that the attempt lives, with where it stands. Stops when it is disposed of. */
export function heartbeats(details: () => unknown): Disposable {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(details()), 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
