import { Context } from '@temporalio/activity';
import { dropLeftovers } from '../reconciler/staging/staging.ts';
import { type PurgeBatch, purgeJournal, purgeRuns, purgeSubtrees, purgeTombstones } from '../schema/index/purge.ts';
import { purgeTriggerMinutes } from '../schema/index/trigger-minutes.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';

const DAY = 86_400_000;
/** Rows a transaction; small, so that no page waits for a purge. */
const BATCH = 1_000;

/** Purges what is past its retention, in small batches. An attempt that died leaves nothing half-done. */
export function purgeActivities(services: Services): Pick<Activities, 'purgeRetention'> {
  const { account, clock, federation, index } = services;
  return {
    async purgeRetention() {
      const signal = Context.current().cancellationSignal;
      const { tombstonesDays, journalDays, runsDays } = federation.retention;
      const purged = { tombstones: 0, journal: 0, runs: 0 };
      using _heartbeats = heartbeats(() => purged);

      async function all(what: keyof typeof purged, days: number, purge: typeof purgeRuns): Promise<void> {
        const before = clock.now() - days * DAY;
        for (let batch: PurgeBatch = { purged: 0, done: false }; !batch.done; ) {
          signal.throwIfAborted();
          batch = await purge(index, account.id, before, BATCH);
          purged[what] += batch.purged;
        }
      }

      await all('tombstones', tombstonesDays, purgeTombstones);
      await all('tombstones', tombstonesDays, purgeSubtrees);
      await all('journal', journalDays, purgeJournal);
      await all('runs', runsDays, purgeRuns);
      await purgeTriggerMinutes(index.db, account.id, clock.now() - DAY);
      await dropLeftovers(index);
      return purged;
    },
  };
}
