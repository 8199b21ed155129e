import { awaitHeardCanary } from '../canary.ts';
import { isthmus } from '../isthmus.ts';
import type { Step } from '../story.ts';

interface Verified {
  readonly source: number;
  readonly index: number;
  readonly sink: number;
  readonly differences: number;
  readonly shadowed: number;
  readonly unrepresentable: number;
}

/**
 * The last word: source, index and sink, compared by name, size and ETag. The sink has fewer by those names that no file
 * can have: a directory's, and what is no path.
 */
export const verifiedStep: Step = {
  title: 'Verify: source, index and sink agree',
  async run(story, say) {
    if (story.canary !== undefined) {
      say('waiting for the trigger of a canary');
      await awaitHeardCanary(story, story.triggersBackAt);
    }
    const verified = await isthmus<Verified>(story, ['verify']);
    const { source, index, sink, shadowed, unrepresentable, differences } = verified;
    const heard = story.canary === undefined ? {} : { canaryHeard: true };
    return { source, index, sink, shadowed, unrepresentable, differences, ...heard };
  },
};
