import { counted } from '../../../schema/counted.ts';
import type { FeedShowOutput } from '../../../schema/outputs/feed-show.ts';
import { formatBytes, formatPolled, formatSeconds, formatTable } from '../../format.ts';
import { printable } from '../../terminal.ts';

/** A feed for people: alarms first. */
export function formatShow(output: FeedShowOutput): readonly string[] {
  const { feed, index, indexProblem, loop, segments, shards } = output;
  const lines = [`Feed of account ${output.account}, federation ${output.federation}, ${output.at}`];
  for (const { message } of index?.alarms ?? []) lines.push(`ALARM  ${message}`);
  for (const problem of feed.problems) lines.push(`BROKEN  ${problem}`);
  lines.push(...feedLines(feed), ...indexLines(index, indexProblem, loop), ...loopLines(loop));
  if (segments.length > 0) {
    lines.push(
      '',
      index?.segment == null ? 'Newest segments' : 'Segments around the cursor',
      ...formatTable(segments.map(segmentRow)).split('\n'),
    );
  }
  if (shards.length > 0)
    lines.push('', 'Shards of the segment that is being read', ...formatTable(shards.map(shardRow)).split('\n'));
  if (index !== null) lines.push('', ...gapLines(index), ...skipLines(index), ...rewindLines(index));
  return lines.map(printable);
}

function feedLines(feed: FeedShowOutput['feed']): readonly string[] {
  if (feed.exists !== true) {
    return [
      `${feed.exists === null ? 'It cannot be seen' : 'There is no feed to read'} (${feed.why}): ${feed.message}`,
    ];
  }
  if (feed.segments === 0)
    return ['The feed has no segment yet: it was only just enabled, or nothing has changed since.'];
  const notYet = feed.notYet === 0 ? '' : `; ${feed.notYet} after lastConsumable, not to be read yet`;
  const ahead = feed.segmentsAhead === null ? '' : `; ${feed.segmentsAhead} after the one that is being read`;
  return [`${counted(feed.segments, 'segment')}, from ${feed.oldest} to ${feed.newest}${ahead}${notYet}`];
}

function indexLines(
  index: FeedShowOutput['index'],
  problem: string | null,
  loop: FeedShowOutput['loop'],
): readonly string[] {
  if (index === null) return [`The index has nothing to say: ${problem}`];
  const { state, reason, applied, lagSeconds, behind, polledAt, recordsPerSecond } = index;
  // Nothing was ever read of it, and the line of its loop says why.
  if (state === 'not-named' && index.segment === null) return [];
  const lag = lagSeconds === null ? '' : `, lag ${formatSeconds(lagSeconds)}`;
  const pace = recordsPerSecond === null ? '' : `, ${Math.round(recordsPerSecond)} records/s`;
  const polled = formatPolled(polledAt, index.segment, state);
  const until = applied === null ? 'nothing applied yet' : `applied to ${applied}`;
  // What the index knows is how the feed was when it was polled last.
  const now = loop?.state === 'paused' ? 'paused' : state;
  const lines = [`${now}, ${until}${lag}${pace}, ${polled}${reason === null ? '' : `: ${reason}`}`];
  if (behind !== null) lines.push(`Behind: ${behind}`);
  if (index.segment === null) lines.push('Nothing has been read yet.');
  else if (index.segmentGone) lines.push(`GAP  ${index.segment} is being read, and the feed has it no more.`);
  return lines;
}

function loopLines(loop: FeedShowOutput['loop']): readonly string[] {
  if (loop === null) return ['Whether its loop runs is not known: Temporal does not answer.'];
  const { state, doing, reason } = loop;
  if (state === 'not-named') return [`It has no loop: ${reason}`];
  const why = reason ?? (state === 'running' || state === 'waiting' ? doing : null);
  return [`Its loop: ${state}${why === null ? '' : `, ${why}`}`];
}

function segmentRow(segment: FeedShowOutput['segments'][number]): readonly string[] {
  const { begin, place, final, shards, chunks, bytes, unreadBytes, problem } = segment;
  const status = final === null ? 'unreadable' : final ? 'final' : 'open';
  const unread = place === 'read' ? 'read' : `${formatBytes(unreadBytes)} unread`;
  const size = `${counted(shards, 'shard')}, ${counted(chunks, 'chunk')}, ${formatBytes(bytes)}`;
  return [place === 'reading' ? '>' : ' ', begin, status, size, problem === null ? unread : problem];
}

function shardRow(shard: FeedShowOutput['shards'][number]): readonly string[] {
  const { chunk, offset, index, chunkLength, unreadBytes, laterChunks, movedAt } = shard;
  const at =
    chunk === null
      ? 'not begun'
      : `${chunk.slice(shard.shard.length)} at ${offset}${index === 0 ? '' : ` + ${index} records`}`;
  const length = chunkLength === null ? (chunk === null ? '' : 'GONE') : `of ${chunkLength}`;
  const later = laterChunks === 0 ? '' : ` in this and ${counted(laterChunks, 'later chunk')}`;
  const unread = unreadBytes === null ? '' : `${formatBytes(unreadBytes)} unread${later}`;
  return ['  ', shard.shard, at, length, unread, movedAt === null ? '' : `moved ${movedAt}`];
}

function gapLines({ gaps, openGaps }: NonNullable<FeedShowOutput['index']>): readonly string[] {
  if (gaps.length === 0) return ['Gaps: none'];
  const lines = gaps.map(({ missing, notedAt, requestedAt, healedAt, reconcile }) => {
    const open = requestedAt === null ? 'no reconcile asked for yet' : `reconcile asked for at ${requestedAt}`;
    return `  ${missing}, noted ${notedAt}: ${healedAt === null ? open : `healed ${healedAt} by reconcile ${reconcile}`}`;
  });
  return [`Gaps: ${openGaps} not healed`, ...lines];
}

function skipLines({ skips, skippedBlocks }: NonNullable<FeedShowOutput['index']>): readonly string[] {
  if (skips.length === 0) return ['Skips: none'];
  const lines = skips.map(
    ({ chunk, from, to, reason, skippedAt }) => `  ${chunk} from byte ${from} to ${to}, ${skippedAt}: ${reason}`,
  );
  return [`Skips: ${skippedBlocks}`, ...lines];
}

function rewindLines({ rewinds }: NonNullable<FeedShowOutput['index']>): readonly string[] {
  if (rewinds.length === 0) return ['Rewinds: none'];
  const lines = rewinds.map(
    ({ from, to, reason, rewoundAt }) => `  ${from === null ? '' : `from ${from} `}to ${to}, ${rewoundAt}: ${reason}`,
  );
  return ['Rewinds, the newest first', ...lines];
}
