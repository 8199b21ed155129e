import { z } from 'zod';
import { count, time } from './time.ts';

/** `isthmus explain --json`. */
export const explainOutput = z.object({
  container: z.string(),
  name: z.string(),
  known: z.boolean().describe('false: the index has never heard of this key, and the rest is empty.'),
  live: z.boolean(),
  attributes: z
    .object({
      etag: z.string(),
      bytes: count,
      blobType: z.string().nullable(),
      contentType: z.string().nullable(),
      md5: z.string().nullable(),
      lastModified: time.nullable(),
      tier: z.string().nullable(),
      metadata: z.record(z.string(), z.string()).nullable(),
    })
    .nullable()
    .describe('null for a tombstone.'),
  clock: z
    .object({
      epoch: z.string().nullable(),
      sequencer: z.string().nullable(),
      seen: time.nullable(),
      look: time.nullable(),
      revision: count,
    })
    .nullable(),
  change: z
    .object({
      source: z.string(),
      eventId: z.string(),
      time: time.nullable(),
      appliedAt: time.nullable(),
      ruleRevision: count,
    })
    .nullable()
    .describe('The change that put the entry in this state.'),
  lookDue: z
    .object({ reason: z.string().nullable(), error: z.string().nullable() })
    .nullable()
    .describe('Present while a look is queued.'),
  rule: z
    .object({ prefix: z.string(), authority: z.enum(['blob', 'vast', 'isthmus']), sink: z.string(), revision: count })
    .nullable(),
  stub: z
    .object({
      sink: z.string().nullable(),
      state: z.string(),
      due: z.boolean(),
      revision: count,
      etag: z.string().nullable(),
      detail: z.string().nullable(),
      tries: count,
      path: z.string().nullable().describe("Below the sink's root; null where the name has none."),
      unrepresentable: z.string().nullable().describe('Why the name has no path.'),
    })
    .nullable(),
});
export type ExplainOutput = z.output<typeof explainOutput>;
