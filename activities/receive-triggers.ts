import { Context } from '@temporalio/activity';
import { hasCode, messageOf } from '../schema/errors.ts';
import { type TriggerSource, upsertSource } from '../schema/index/sources.ts';
import { readTriggerTrust } from '../schema/index/trigger-trust.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { heartbeats } from './heartbeat.ts';
import { quietly } from './quietly.ts';
import type { Services } from './services.ts';
import { type TriggerCounts, TriggerIntake } from './triggers/trigger-intake.ts';

/** The queue is kept open between turns; where no turn comes for this long, what it holds is given back. */
const IDLE_MS = 15_000;

/**
 * Takes triggers off the queue for a turn: see `TriggerIntake`. While the index cannot be written, the messages stay
 * held under their locks and are tried again; they are given back only when the turn is cancelled or the process ends.
 * Where triggers are distrusted, their messages are taken and completed all the same: a queue that nobody empties would
 * fill, and tell nothing that the feed does not bring.
 *
 * @param source what is said of it in the index and in metrics: each transport has its own.
 */
export function triggerActivities(
  services: Services,
  source: TriggerSource = 'trigger',
): Pick<Activities, 'receiveTriggers'> {
  const { account, clock, index } = services;
  let open: TriggerIntake | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function close(): Promise<void> {
    clearTimeout(idle);
    const closing = open;
    open = undefined;
    await closing?.close();
  }

  return {
    async receiveTriggers({ seconds }) {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      const counts: TriggerCounts = { messages: 0, applied: 0, superseded: 0, ignored: 0, deadLettered: 0 };
      using _heartbeats = heartbeats(() => counts);
      clearTimeout(idle);
      try {
        const { distrustedAt } = await readTriggerTrust(index.db, account.id);
        open ??= new TriggerIntake(services, source, services.openTriggers());
        const intake = open;
        await upsertSource(index.db, intake.standing(distrustedAt !== undefined));
        await quietly(signal, () => intake.run(counts, until, signal));
        await intake.flush();
      } catch (error) {
        if (hasCode(error, 'ISTHMUS_SOURCE_UNAVAILABLE')) {
          const reason = messageOf(error);
          await upsertSource(index.db, { accountId: account.id, source, state: 'unavailable', reason });
          await close();
        }
        throw error;
      } finally {
        if (signal.aborted) await close();
        else idle = setTimeout(() => void close(), IDLE_MS).unref();
      }
      return counts;
    },
  };
}
