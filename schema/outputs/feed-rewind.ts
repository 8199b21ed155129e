import { z } from 'zod';
import { controlState } from './control.ts';

/** `isthmus feed rewind --json`. */
export const feedRewindOutput = z.object({
  segment: z.string().describe('The manifest of the segment that is read from.'),
  state: controlState,
});
export type FeedRewindOutput = z.output<typeof feedRewindOutput>;
