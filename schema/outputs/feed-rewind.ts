import { z } from 'zod';
import { controlState } from './control.ts';

/** `isthmus feed rewind --json`. */
export const feedRewindOutput = z.object({
  segment: z.string().describe('The manifest of the segment that is read from.'),
  fromBeginning: z
    .boolean()
    .describe('The feed has nothing of the time that was asked for: that segment is its first, and begins later.'),
  state: controlState,
});
export type FeedRewindOutput = z.output<typeof feedRewindOutput>;
