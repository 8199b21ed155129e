import { z } from 'zod';
import { count } from './time.ts';

const position = { path: z.string().describe('Of the chunk.'), offset: count.describe('Of the block, in bytes.') };

/** Each line of `isthmus feed verify --json` but the last. */
export const feedVerifyFinding = z.discriminatedUnion('kind', [
  z
    .object({ kind: z.literal('broken'), path: z.string(), offset: count, until: count.nullable(), why: z.string() })
    .describe('It cannot be read; `until`: where reading went on in the same file.'),
  z
    .object({ kind: z.literal('skipped'), path: z.string(), offset: count, until: count.nullable(), why: z.string() })
    .describe('It cannot be read, and an operator has left it out: it is no finding.'),
  z
    .object({ kind: z.literal('note'), path: z.string(), why: z.string() })
    .describe('It is odd, and nothing is wrong with it: it is no finding.'),
  z
    .object({ kind: z.literal('unreached'), path: z.string() })
    .describe('A chunk that no manifest names, so that no reader comes by.'),
  z
    .object({ kind: z.literal('disorder'), ...position, index: count, why: z.string() })
    .describe('A record that can be read and breaks what holds of a feed.'),
  z
    .object({
      kind: z.literal('difference'),
      ...position,
      index: count,
      container: z.string(),
      name: z.string(),
      why: z.string(),
    })
    .describe("The index does not have the feed's last word on a key, which stands at this position."),
]);
export type FeedVerifyFinding = z.output<typeof feedVerifyFinding>;

/** The last line of `isthmus feed verify --json`. */
export const feedVerifyOutput = z.object({
  good: z.boolean(),
  findings: count,
  skipped: count.describe('Places that an operator has left out; they are told, and are no findings.'),
  notes: count.describe(
    'What is odd and not wrong, such as an empty chunk of an account; it is told, and is no finding.',
  ),
  segments: count,
  shards: count,
  chunks: count,
  records: count,
  notYet: count.describe('Segments after lastConsumable, which were left alone.'),
  index: z
    .object({
      keys: count.describe('Federated keys of which the feed behind the cursor tells.'),
      agree: count,
      differ: count,
      looksDue: count.describe('A look is due, before which nothing can be said.'),
      past: count.describe("Of a container's earlier incarnation, or older than a listing that has judged since."),
      notTaken: count.describe('Records after the cursor, which were not compared.'),
    })
    .nullable()
    .describe('null: a copy in a folder was checked by itself.'),
});
export type FeedVerifyOutput = z.output<typeof feedVerifyOutput>;
