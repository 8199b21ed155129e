import { Context } from '@temporalio/activity';
import { ensureError } from '../schema/errors.ts';
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

/** What a worker that died had claimed is taken up by another after this long. */
const LEASE_MS = 15_000;
/** Entries in one transaction: their rows are locked for as long as it takes. */
const BATCH = 1_000;
const POLL_MS = 500;
/** Directories that are listed at a time: a reconcile keeps 32 wishes, and each may be two. */
const LISTED_AT_ONCE = 8;
/** A listing that was asked for and never came, because it failed or its wish was lost, is asked for again. */
const ASK_AGAIN_MS = 600_000;
/** Beyond this, directories that wait are not counted. */
const MANY = 1_000;

/**
 * Works off directories that were deleted or renamed. What the index has below one is gone through in bounded steps,
 * whose place the index keeps; then a reconcile lists both of its names, since no clock orders a blob against its
 * directory's rename.
 */
export function subtreeActivities(services: Services): Pick<Activities, 'workSubtrees'> {
  const { account, clock, index, log } = services;

  /** Asks for the listings that are due, and takes note of those that are done. */
  async function haveListed(): Promise<void> {
    const waiting = await unlistedSubtrees(index.db, account.id, LISTED_AT_ONCE);
    if (waiting.some(({ requestedAt }) => requestedAt !== undefined)) await endListed(index.db, account.id);
    const due = waiting.filter(({ requestedAt = 0 }) => clock.now() - requestedAt >= ASK_AGAIN_MS);
    if (due.length === 0) return;
    // Noted first: a run that the wish begins must be found to be a later one.
    const ids = due.map(({ id }) => id);
    await noteListingRequested(index.db, account.id, ids);
    try {
      for (const prefix of new Set(due.flatMap(({ prefixes }) => prefixes))) {
        await services.requestReconcile({ judge: 'listing', prefix });
      }
    } catch (error) {
      await forgetListingRequested(index.db, account.id, ids);
      log.warn({ error: ensureError(error).message }, 'the listing of a directory that went could not be asked for');
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
