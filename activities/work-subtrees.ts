import { Context } from '@temporalio/activity';
import { messageOf } from '../schema/errors.ts';
import { stepSubtree } from '../schema/index/subtree-step.ts';
import {
  claimSubtree,
  countSubtrees,
  endListed,
  forgetListingRequested,
  noteListingRequested,
  releaseSubtree,
  type SubtreeClaim,
  unlistedSubtrees,
} from '../schema/index/subtrees.ts';
import type { Activities } from '../schema/inputs/activities.ts';
import { applyUnderRules } from './apply-under-rules.ts';
import { heartbeats } from './heartbeat.ts';
import { quietly } from './quietly.ts';
import type { Services } from './services.ts';
import { nextToList } from './subtree-listings.ts';

/** What a worker that died had claimed is taken up by another after this long. */
const LEASE_MS = 15_000;
/** Entries in one transaction: their rows are locked for as long as it takes. */
const BATCH = 1_000;
const POLL_MS = 500;
/** Prefixes that are asked for at a time. */
const LISTED_AT_ONCE = 16;
/** A listing that was asked for and never came, because it failed or its wish was lost, is asked for again. */
const ASK_AGAIN_MS = 600_000;
/** Beyond this, directories that wait are neither counted nor listed yet. */
const MANY = 1_000;

/**
 * Works off directories that were deleted or renamed. What the index has below one is gone through in bounded steps,
 * whose place the index keeps; then a reconcile lists both of its names, since no clock orders a blob against its
 * directory's rename.
 */
export function subtreeActivities(services: Services): Pick<Activities, 'workSubtrees'> {
  const { account, clock, index, log } = services;

  /**
   * Takes note of listings that are done, and asks for the next once none is on its way: a reconcile that was asked for
   * more before it has ended would never end, and keeps no more than 32 wishes.
   */
  async function haveListed(): Promise<void> {
    const before = await unlistedSubtrees(index.db, account.id, MANY);
    const asked = before.some(({ requestedAt }) => requestedAt !== undefined);
    const ended = asked ? await endListed(index.db, account.id) : 0;
    const waiting = ended > 0 ? await unlistedSubtrees(index.db, account.id, MANY) : before;
    if (waiting.some(({ requestedAt = 0 }) => clock.now() - requestedAt < ASK_AGAIN_MS)) return;
    // Those that were never asked for come first: a listing that fails again and again must not hold back the others.
    const fairly = waiting.toSorted((a, b) => (a.requestedAt ?? 0) - (b.requestedAt ?? 0));
    const { subtrees, listings } = nextToList(fairly, LISTED_AT_ONCE);
    if (subtrees.length === 0) return;
    const ids = subtrees.map(({ id }) => id);
    // Noted first: a run that the wish begins must be found to be a later one.
    await noteListingRequested(index.db, account.id, ids);
    try {
      for (const prefix of listings) await services.requestReconcile({ judge: 'listing', prefix });
    } catch (error) {
      await forgetListingRequested(index.db, account.id, ids);
      log.warn({ error: messageOf(error) }, 'the listing of a directory that went could not be asked for');
    }
  }

  return {
    async workSubtrees({ seconds }) {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      let gone = 0;
      using _heartbeats = heartbeats(() => ({ gone }));

      /** One directory, until it is done or the turn is over. */
      async function work(claim: SubtreeClaim): Promise<void> {
        for (let done = false; !done && clock.now() < until; ) {
          signal.throwIfAborted();
          const step = await applyUnderRules(services, (tx, scope) =>
            stepSubtree(tx, { ...scope, claim, limit: BATCH, leaseMs: LEASE_MS }),
          );
          gone += step.gone;
          done = step.done;
        }
        await releaseSubtree(index, claim);
      }

      await quietly(signal, async () => {
        while (clock.now() < until) {
          signal.throwIfAborted();
          const claim = await claimSubtree(index, account.id, LEASE_MS);
          if (claim !== undefined) {
            await work(claim);
            continue;
          }
          await haveListed();
          await clock.sleep(Math.min(POLL_MS, Math.max(0, until - clock.now())), signal);
        }
      });
      return { gone, directories: await countSubtrees(index.db, account.id, MANY) };
    },
  };
}
