import { shardName } from '../names.ts';
import { inParallel } from '../parallel.ts';
import type { Step } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { LAKE } from './upload.ts';

const FIRST = 600;
const EACH = 100;

/** Every trigger is dropped: only the feed carries the news. */
export const lostTriggersStep: Step = {
  title: 'Triggers are dropped: the feed alone',
  async run(story, say) {
    await story.control.setFaults({ triggers: { dropRate: 1 } });
    try {
      say('writing and deleting with no trigger sent');
      const lake = story.blobs.getContainerClient(LAKE);
      await inParallel(Array.from({ length: EACH * 2 }), 16, async (_, at) => {
        const blob = lake.getBlockBlobClient(shardName(FIRST + at));
        if (at < EACH) await blob.upload('told by the feed', 16);
        else await blob.delete();
      });
      say('waiting for the feed');
      return { written: EACH, deleted: EACH, ...(await awaitTruth(story)) };
    } finally {
      await story.control.clearFaults();
    }
  },
};
