import { z } from 'zod';
import { count, time } from './time.ts';

/** One line of `isthmus ls --json`. */
export const lsEntry = z.object({
  container: z.string(),
  name: z.string(),
  bytes: count,
  etag: z.string().describe('Without quotes.'),
  lastModified: time.nullable(),
  authority: z.enum(['blob', 'vast', 'isthmus']).nullable().describe('null: no rule, so it is not federated.'),
  sink: z.string().nullable(),
  stub: z
    .enum(['none', 'stub', 'hydrated', 'shadowed', 'unrepresentable', 'conflict', 'failed'])
    .describe('What stands in the sink.'),
  stubDue: z.boolean().describe('The stub is behind its entry.'),
  stubDetail: z.string().nullable().describe('Why the sink holds no stub.'),
});
export type LsEntry = z.output<typeof lsEntry>;
