import { Context } from '@temporalio/activity';
import { claimSweep, type SweepClaim, sweepStep } from '../schema/index/sweeps.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { heartbeats } from './heartbeat.ts';
import type { Services } from './services.ts';

/** A sweep that died is taken up by another after this long. */
const LEASE_MS = 15_000;
const BATCH = 2_000;
const POLL_MS = 1_000;

/**
 * Writes down which entries died with their container's incarnation (rule 3 of the clock), so that their stubs
 * go. Liveness is computed whether this runs or not; it only makes the sink follow and the index tidy.
 */
export function sweepActivities(services: Services): Pick<Activities, 'sweepIncarnations'> {
  const { account, clock, index } = services;
  return {
    async sweepIncarnations({ seconds }) {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      let swept = 0;
      using _heartbeats = heartbeats(() => ({ swept }));

      /** One container, until it is done or the turn is over; the place is kept in the index. */
      async function sweep(claim: SweepClaim): Promise<void> {
        for (let done = false; !done && clock.now() < until; ) {
          signal.throwIfAborted();
          const { revision } = await services.rules();
          const step = await sweepStep(index, {
            ...{ account, claim, ruleRevision: revision, policy: { margin: account.margin } },
            ...{ limit: BATCH, leaseMs: LEASE_MS },
          });
          swept += step.swept;
          done = step.done;
        }
      }

      while (clock.now() < until) {
        signal.throwIfAborted();
        const claim = await claimSweep(index, account.id, LEASE_MS);
        if (claim === undefined) await clock.sleep(Math.min(POLL_MS, Math.max(0, until - clock.now())), signal);
        else await sweep(claim);
      }
      return { swept };
    },
  };
}
