import { z } from 'zod';
import { controlState } from './control.ts';
import { count } from './time.ts';

/** `isthmus feed skip --json`. */
export const feedSkipOutput = z.object({
  chunk: z.string(),
  from: count.describe('The first byte that is left out.'),
  to: count.describe('The first byte that is read again.'),
  state: controlState,
});
export type FeedSkipOutput = z.output<typeof feedSkipOutput>;
