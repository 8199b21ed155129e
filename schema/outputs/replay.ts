import { z } from 'zod';
import { digestOutput } from './digest.ts';
import { count } from './time.ts';

/** `isthmus replay`: applied, superseded and ignored add up to records. */
export const replayOutput = z.object({
  records: count,
  byType: z.record(z.string(), count).describe("By the records' own word for their type."),
  applied: count,
  superseded: count,
  ignored: z.record(z.string(), count).describe('By reason.'),
  live: count.describe('Of the account, afterwards.'),
  tombstones: count,
  digest: digestOutput,
});
export type ReplayOutput = z.output<typeof replayOutput>;
