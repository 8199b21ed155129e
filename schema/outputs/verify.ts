import { z } from 'zod';
import { count } from './time.ts';

const version = z.object({ etag: z.string().nullable(), bytes: count }).nullable();

/** Each line of `isthmus verify --json` but the last: one name that source, index and sink do not tell alike. */
export const verifyDifference = z.object({
  container: z.string(),
  name: z.string(),
  source: version,
  index: version,
  sink: version,
  apart: z.boolean().describe('The sink cannot show this name: it is listed, and no difference.'),
  what: z.string(),
});
export type VerifyDifference = z.output<typeof verifyDifference>;

/** The last line of `isthmus verify --json`: names on each side, and how many of them differ. */
export const verifyOutput = z.object({
  agree: z.boolean(),
  source: count,
  index: count,
  sink: count,
  differences: count,
  shadowed: count.describe('Names that a directory of the same name hides in the sink.'),
  unrepresentable: count.describe('Names that are no path.'),
});
export type VerifyOutput = z.output<typeof verifyOutput>;
