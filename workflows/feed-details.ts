import type { FeedStanding, Rewound, SkipRequest } from '../schema/inputs/feed.ts';

/** Where a workflow stands in the feed, as lines of Markdown: what stops it and the input that mends it first. */
export function formatFeed(feed: FeedStanding): readonly string[] {
  const { segment, shards, recordsPerSecond, lagSeconds, appliedTo, corrupt, rewound } = feed;
  const lines: string[] = [];
  if (corrupt !== undefined) {
    const request: SkipRequest = { ...corrupt, reason: 'WHY' };
    lines.push('', `The block at byte ${corrupt.offset} of \`${corrupt.chunk}\` cannot be read.`);
    lines.push('To leave it out, send the update `skip` with this input, then `resume`:');
    lines.push('', '```json', JSON.stringify(request), '```');
  }
  if (rewound !== undefined) lines.push('', formatRewound(rewound));
  lines.push('', '| feed | |', '|---|---|');
  if (segment !== undefined) lines.push(`| segment | \`${segment}\` |`);
  for (const { shard, chunk, offset } of shards) lines.push(`| shard \`${shard}\` | \`${chunk}\` @ ${offset} |`);
  lines.push(`| records per second | ${recordsPerSecond} |`);
  if (appliedTo !== undefined) lines.push(`| applied to | ${new Date(appliedTo).toISOString()} |`);
  if (lagSeconds !== undefined) lines.push(`| lag | ${lagSeconds} s |`);
  return lines;
}

function formatRewound({ at, segment, reason, records, applied, superseded, over }: Rewound): string {
  const when = new Date(at).toISOString();
  const read = `${records} records read again, ${applied} applied, ${superseded} known already`;
  return `Rewound at ${when} to \`${segment}\` (${reason}): ${read}${over ? ', up to the end of the feed' : ' so far'}.`;
}
