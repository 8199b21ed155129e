import { z } from 'zod';
import { count } from './time.ts';

/** `isthmus hydrate --json`. */
export const hydrateOutput = z.object({
  files: count.describe('Files whose bytes were brought in.'),
  already: count.describe('Files that had their bytes.'),
  bytes: count,
  failed: count,
  failures: z.array(z.string()).describe('The first few, in words.'),
});
export type HydrateOutput = z.output<typeof hydrateOutput>;
