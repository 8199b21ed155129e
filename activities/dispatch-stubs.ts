import { Context } from '@temporalio/activity';
import { IsthmusError, messageOf } from '../schema/errors.ts';
import { countStubs } from '../schema/index/stubs.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import type { Sink } from '../schema/ports/sink.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';
import { StubDispatcher } from './vast/dispatch/stub-dispatcher.ts';
import { indexedTasks } from './vast/dispatch/stub-tasks.ts';

const ORPHAN_AGE = 3_600_000;

/** Dispatches the stub tasks of one sink for a turn. A sink that is refused or takes nothing fails the turn, and so raises the loop's alarm. */
export function stubActivities(services: Services): Pick<Activities, 'dispatchStubs'> {
  const { clock, account, index } = services;
  const cleaned = new Map<Sink, number>();

  /** Once an hour and at the start: what a crash left behind. Stopped by its signal, it goes on with the next turn. Never throws. */
  async function cleanUp(name: string, sink: Sink, signal: AbortSignal): Promise<void> {
    if (clock.now() < (cleaned.get(sink) ?? Number.NEGATIVE_INFINITY) + ORPHAN_AGE) return;
    // At once, so that a turn that is taken for dead and the one in its place are not both at it.
    cleaned.set(sink, clock.now());
    try {
      const orphans = await sink.cleanUp(ORPHAN_AGE, signal);
      if (orphans > 0) services.log.info({ sink: name, orphans }, 'removed temporary files that a crash had left');
    } catch (error) {
      if (signal.aborted) cleaned.set(sink, Number.NEGATIVE_INFINITY);
      else {
        services.log.warn(
          { sink: name, error: messageOf(error) },
          'temporary files that a crash may have left could not be removed: it is tried again in an hour',
        );
      }
    }
  }

  return {
    async dispatchStubs({ seconds, sink: name }) {
      const sink = services.sinks.get(name);
      if (sink === undefined) throw new IsthmusError('ISTHMUS_USAGE', `there is no sink '${name}' in the federation`);
      const until = clock.now() + seconds * 1000;
      const signal = Context.current().cancellationSignal;
      const dispatcher = new StubDispatcher({
        sink,
        tasks: indexedTasks(services, name),
        clock,
        random: services.random,
        onBatch: (outcomes) => services.metrics.records('stub', outcomes),
      });
      using _heartbeats = heartbeats(() => dispatcher.counts);
      const { readsThroughMode } = await sink.capabilities();
      if (readsThroughMode && !cleaned.has(sink)) {
        services.log.warn(
          { sink: name },
          'this user reads through mode 0000: only other users are kept from empty stubs',
        );
      }
      // Beside the stubs, which would wait for minutes where many bytes are kept.
      const over = new AbortController();
      const cleaning = cleanUp(name, sink, AbortSignal.any([signal, over.signal]));
      try {
        await dispatcher.run(until, signal);
      } finally {
        over.abort();
        await cleaning;
      }
      const { failed } = dispatcher.counts;
      // Where they are many, they end the turn with an error of its own.
      if (failed > 0) {
        services.log.warn({ sink: name, failed }, `stubs failed, the last of them: ${dispatcher.lastFailure}`);
      }
      const pending = (await countStubs(index.db, account.id)).find((backlog) => backlog.sink === name)?.due ?? 0;
      return { ...dispatcher.counts, pending };
    },
  };
}
