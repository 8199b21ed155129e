import { z } from 'zod';
import { statusOutput } from './status.ts';
import { count, time } from './time.ts';

const segment = z.object({
  path: z.string().describe('Of its manifest.'),
  begin: time,
  place: z.enum(['read', 'reading', 'ahead']).describe('Where it is by the cursor.'),
  final: z.boolean().nullable().describe('Nothing more is written to it; null: its manifest cannot be read.'),
  shards: count,
  chunks: count,
  bytes: count,
  unreadBytes: count,
  problem: z.string().nullable(),
});

const shard = z.object({
  shard: z.string(),
  chunk: z.string().nullable().describe('null: nothing of the shard has been read.'),
  offset: count.nullable().describe('Of the block that holds the next record, in bytes.'),
  index: count.nullable().describe('Of the next record in that block.'),
  movedAt: time.nullable(),
  chunkLength: count.nullable().describe('null: the chunk is not there.'),
  unreadBytes: count.nullable().describe('Of this chunk from the offset on, and of those after it; null: not known.'),
  laterChunks: count.describe('Chunks of the shard after this one.'),
});

/** `isthmus feed show --json`: at most ten gaps and skips and three rewinds, the newest first. */
export const feedShowOutput = z.object({
  federation: z.string(),
  account: z.string(),
  at: time,
  feed: z.object({
    exists: z.boolean().nullable().describe('null: it cannot be seen, as nobody answers or the reader is refused.'),
    why: z
      .string()
      .nullable()
      .describe('Why there is none: `not-enabled`, `hierarchical`, `forbidden`, `missing`, `disabled`, `unreachable`.'),
    message: z.string().nullable(),
    lastConsumable: time.nullable().describe('The newest segment that may be read, itself among them.'),
    segments: count,
    segmentsAhead: count.nullable().describe('After the one that is being read; null: nothing has been read.'),
    notYet: count.describe('Segments after lastConsumable.'),
    oldest: time.nullable(),
    newest: time.nullable(),
    problems: z.array(z.string()).describe('What of the feed cannot be read.'),
  }),
  index: z
    .object({
      segment: z.string().nullable().describe('The manifest of the segment that is being read.'),
      segmentGone: z.boolean().describe('The feed has it no more: a gap.'),
      state: z.string(),
      reason: z.string().nullable(),
      applied: time.nullable(),
      lagSeconds: z.number().min(0).nullable(),
      behind: z.string().nullable(),
      polledAt: time.nullable(),
      recordsPerSecond: z.number().min(0).nullable(),
      openGaps: count,
      gaps: z.array(
        z.object({
          missing: z.string(),
          notedAt: time,
          requestedAt: time.nullable().describe('When a reconcile was asked for.'),
          healedAt: time.nullable(),
          reconcile: count.nullable().describe('The run that healed it.'),
        }),
      ),
      skippedBlocks: count,
      skips: z.array(z.object({ chunk: z.string(), from: count, to: count, reason: z.string(), skippedAt: time })),
      rewinds: z
        .array(
          z.object({
            from: z.string().nullable().describe('Manifest of the segment that was being read; null: none was.'),
            to: z.string().describe('Manifest of the segment that was read from then on.'),
            reason: z.string(),
            rewoundAt: time,
          }),
        )
        .describe('As far back as the journal is kept.'),
      alarms: statusOutput.shape.alarms,
    })
    .nullable()
    .describe('null: the index does not answer, or no worker has prepared it.'),
  indexProblem: z.string().nullable(),
  loop: z
    .object({ state: z.string(), doing: z.string().nullable(), reason: z.string().nullable() })
    .nullable()
    .describe(
      'The workflow that reads the feed; `not-named`: the federation names none; null: Temporal does not answer.',
    ),
  segments: z.array(segment).describe('Those around the cursor; the newest where nothing has been read.'),
  shards: z.array(shard).describe('Of the segment that is being read.'),
});
export type FeedShowOutput = z.output<typeof feedShowOutput>;
