import { z } from 'zod';
import { count } from './time.ts';

/** One line of `isthmus feed dump`: a record with every field that its chunk's own schema has, and its position. */
export const feedDumpRecord = z.looseObject({
  chunk: z.string().describe('Path inside the container, without its name.'),
  offset: count.describe("Of the record's block, in bytes."),
  index: count.describe('Of the record in its block.'),
});
