import { replayRecorded } from '../recorded.ts';
import type { Step } from '../story.ts';

/** Real bytes: the Change Feeds recorded from two real accounts. */
export const recordedStep: Step = {
  title: 'The recorded feeds of real accounts are replayed',
  async run(story) {
    return story.recorded ?? replayRecorded(story);
  },
};
