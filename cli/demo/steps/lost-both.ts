import { isthmus } from '../isthmus.ts';
import { shardName } from '../names.ts';
import { inParallel } from '../parallel.ts';
import type { Step } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { LAKE } from './upload.ts';

const FIRST = 1_000;
const EACH = 60;

interface Reconciled {
  readonly judge: string;
  readonly listed: number;
  readonly looks: number;
  readonly missing: number;
}

/** Triggers are dropped and the feed is held back: only an inventory report knows. */
export const lostBothStep: Step = {
  title: 'Triggers and feed are silent: the inventory alone',
  async run(story, say) {
    await story.control.setFaults({ triggers: { dropRate: 1 }, feed: { hold: true } });
    try {
      say('writing and deleting with no source telling');
      const lake = story.blobs.getContainerClient(LAKE);
      await inParallel(Array.from({ length: EACH * 3 }), 16, async (_, at) => {
        if (at < EACH) await lake.getBlockBlobClient(shardName(FIRST + at)).upload('told by the inventory', 21);
        else if (at < EACH * 2) await lake.getBlockBlobClient(shardName(FIRST + at)).delete();
        else await lake.getBlockBlobClient(`unheard-of/${at}.bin`).upload('new', 3);
      });
      say('an inventory report is written and judged');
      await story.control.runInventory({ format: 'csv' });
      const summary = await isthmus<Reconciled>(story, ['reconcile', '--judge', 'inventory']);
      // The report's own files were written after it was taken, and no source may tell of them yet.
      const settled = await awaitTruth(story, LAKE);
      return {
        overwritten: EACH,
        deleted: EACH,
        created: EACH,
        listed: summary.listed,
        looks: summary.looks,
        missing: summary.missing,
        ...settled,
      };
    } finally {
      await story.control.clearFaults();
    }
  },
};
