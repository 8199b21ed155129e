import { z } from 'zod';
import { count } from './time.ts';

/** `isthmus rebuild --json`, once all is settled. */
export const rebuildOutput = z.object({
  discarded: count.describe('Entries that were forgotten first; at most 1,000,000 are counted.'),
  feedFrom: z.string().nullable().describe('The manifest from which on the feed was read; null where none is read.'),
  runId: count.describe('The listing.'),
  listed: count.describe('Names that it listed.'),
  entries: count.describe('Live entries.'),
  bytes: count.describe('Of those.'),
  stubs: count.describe('Files without bytes that show their entry.'),
  hydrated: count.describe(
    'Files with bytes, which said themselves that they are of their entry: nothing was fetched.',
  ),
  notShown: z.record(z.string(), count).describe('Entries that no file shows, by why.'),
  seconds: z.number(),
});
export type RebuildOutput = z.output<typeof rebuildOutput>;
