import { INVENTORY_CONTAINER } from '../../../infra/local/default-federation.ts';
import { awaitSilenceAlarm, awaitUnheardCanary } from '../canary.ts';
import { isthmus } from '../isthmus.ts';
import { shardName } from '../names.ts';
import { inParallel } from '../parallel.ts';
import { reconcileBy } from '../reconcile.ts';
import type { Figures, Step, Story } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { LAKE } from './upload.ts';

const FIRST = 1_000;
const EACH = 60;

/** Triggers are dropped and the feed, where there is one, is held back: only an inventory report knows. */
export const inventoryAloneStep: Step = {
  title: 'Triggers and feed are silent: the inventory alone',
  titleWithoutFeed: 'Triggers are dropped: a canary tells it, the inventory finds what is lost',
  async run(story, say) {
    const since = Date.now();
    await story.control.setFaults({
      triggers: { dropRate: 1 },
      ...(story.hierarchical ? {} : { feed: { hold: true } }),
    });
    let figures: Figures;
    try {
      say('writing and deleting with no source telling');
      const lake = story.blobs.getContainerClient(LAKE);
      await inParallel(Array.from({ length: EACH * 3 }), 16, async (_, at) => {
        if (at < EACH) await lake.getBlockBlobClient(shardName(FIRST + at)).upload('told by the inventory', 21);
        else if (at < EACH * 2) await lake.getBlockBlobClient(shardName(FIRST + at)).delete();
        else await lake.getBlockBlobClient(`unheard-of/${at}.bin`).upload('new', 3);
      });
      if (story.canary !== undefined) {
        say('waiting for a canary, whose trigger will not come');
        await awaitUnheardCanary(story, since);
      }
      figures = await judged(story, say);
    } finally {
      await story.control.clearFaults();
      story.triggersBackAt = Date.now();
    }
    // The triggers of the report's own files were dropped as well, and no feed brings them.
    if (story.hierarchical) await isthmus(story, ['reconcile', '--prefix', `${INVENTORY_CONTAINER}/`]);
    return figures;
  },
};

async function judged(story: Story, say: (doing: string) => void): Promise<Figures> {
  say('an inventory report is written and judged');
  await story.control.runInventory({ format: 'csv' });
  const reconciled = await reconcileBy(story, 'inventory');
  const alarm = story.canary === undefined ? {} : { alarm: await awaitSilenceAlarm(story) };
  // The report's own files were written after it was taken, and no source may tell of them yet.
  const settled = await awaitTruth(story, LAKE);
  return { overwritten: EACH, deleted: EACH, created: EACH, ...alarm, ...reconciled, ...settled };
}
