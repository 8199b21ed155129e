import { z } from 'zod';
import { count } from './time.ts';

/** `isthmus replay --json` without a folder: what a replay of the account's own feed did. */
export const replayFeedOutput = z.object({
  id: z.string().describe("The workflow's."),
  records: count,
  applied: count.describe('What the index had missed.'),
  superseded: count.describe('What the index had already, or newer.'),
  ignored: count,
  looks: count.describe('Blobs that only a direct look can decide about.'),
});
export type ReplayFeedOutput = z.output<typeof replayFeedOutput>;
