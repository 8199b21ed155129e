import { z } from 'zod';
import type { SourceRow } from '../../schema/index/sources.ts';

/** What the feed's loop says of itself beside its state, as far as it is there and readable. */
const detail = z.object({
  caughtUp: z.boolean().optional().catch(undefined),
  /** When the feed last answered a poll. */
  polledAt: z.number().optional().catch(undefined),
  /** Why there is no feed: a word of `FeedUnavailableReason`. */
  why: z.string().optional().catch(undefined),
  recordsPerSecond: z.number().min(0).optional().catch(undefined),
});

export type FeedReport = z.output<typeof detail>;

/** @returns nothing known where the loop has not spoken, or what it said is not what is expected. */
export function readFeedReport(row: SourceRow | undefined): FeedReport {
  const parsed = detail.safeParse(row?.detail ?? {});
  const report = parsed.success ? parsed.data : {};
  // A loop of an earlier version tells no poll: that it spoke of a feed at all was one.
  const polledAt = report.polledAt ?? (row?.state === 'tailing' ? row.updatedAt : undefined);
  return { ...report, polledAt };
}
