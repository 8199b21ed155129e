import { setTimeout as sleep } from 'node:timers/promises';
import { shardName } from '../names.ts';
import { inParallel } from '../parallel.ts';
import { reconcileBy } from '../reconcile.ts';
import { replayRecorded } from '../recorded.ts';
import type { Step } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { LAKE, SCRATCH } from './upload.ts';

/** A deleted container's name cannot be used again for 30 s, as on Azure. */
const NAME_REFUSED_MS = 30_000;
const AT_ONCE = 16;
const EACH = 120;

/** Overwrites, metadata, tiers, deletes, an append, and a container that is deleted and comes back with fewer blobs. */
export const changeStep: Step = {
  title: 'Overwrites, metadata, tiers, deletes, a container born again',
  async run(story, say) {
    if (!story.hierarchical) {
      story.recorded = replayRecorded(story);
      story.recorded.catch(() => undefined);
    }
    const lake = story.blobs.getContainerClient(LAKE);
    const names = Array.from({ length: EACH * 4 }, (_, at) => shardName(at));
    say('overwriting, tagging, tiering and deleting');
    await inParallel(names, AT_ONCE, async (name, at) => {
      const blob = lake.getBlockBlobClient(name);
      if (at < EACH) await blob.upload('overwritten', 11);
      else if (at < EACH * 2) await blob.setMetadata({ step: 'two' });
      else if (at < EACH * 3) await blob.setAccessTier('Cool');
      else await blob.delete();
    });
    const log = lake.getAppendBlobClient('growing.log');
    await log.create();
    await log.appendBlock('first line\n', 11);
    const refused = story.scratchDeletedAt + NAME_REFUSED_MS - Date.now();
    if (refused > 0) {
      say(`the deleted container's name is refused for another ${Math.ceil(refused / 1000)} s`);
      await sleep(refused, undefined, { signal: story.signal });
    }
    say('creating the container again');
    const scratch = story.blobs.getContainerClient(SCRATCH);
    await createPatiently(() => scratch.create(), story.signal);
    await inParallel(['old/1', 'old/2', 'new/1'], AT_ONCE, (name) => scratch.getBlockBlobClient(name).upload('new', 3));
    // No trigger tells of metadata, of what is appended, or of a container that went: that is the feed's, or a judge's.
    if (story.hierarchical) say('the account is listed and judged');
    const judged = story.hierarchical ? await reconcileBy(story, 'listing') : {};
    say('waiting for the truth');
    const settled = await awaitTruth(story);
    return {
      overwritten: EACH,
      metadata: EACH,
      tiered: EACH,
      deleted: EACH,
      bornAgain: SCRATCH,
      ...judged,
      ...settled,
    };
  },
};

async function createPatiently(create: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await create();
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(250, undefined, { signal });
    }
  }
}
