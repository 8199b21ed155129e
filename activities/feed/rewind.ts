import { IsthmusError } from '../../schema/errors.ts';
import { parseManifest } from '../../schema/feed/manifest.ts';
import { segmentTime } from '../../schema/feed/segment-path.ts';
import { type FeedCursor, holdCursor, setCursor } from '../../schema/index/feed-cursors.ts';
import { noteGap } from '../../schema/index/feed-gaps.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { FeedSpot, RewindInput } from '../../schema/inputs/activities.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { findSegment } from '../azure/feed-find.ts';
import type { FeedStart } from '../azure/feed-page.ts';
import type { Services } from '../services.ts';
import { askForHealing } from './gap.ts';

/**
 * Sets the cursor elsewhere: back, so that what follows is read again and changes nothing where nothing was missing;
 * or on, which leaves records out, so that it is a gap. Every page in flight loses (invariant 3).
 */
export async function rewindFeed(
  services: Services,
  input: RewindInput,
  signal: AbortSignal,
): Promise<{ readonly segment: string }> {
  const { account, index, log } = services;
  const to = await targetOf(services, input, signal);
  const on = await transact(index, async (tx) => {
    const from = await holdCursor(tx, account.id);
    await setCursor(tx, account.id, to);
    const detail = { reason: input.reason, from, to };
    await recordJournal(tx, account.id, [{ kind: 'feed-rewound', detail }]);
    const leaves = from !== undefined && leavesOut(from, to);
    if (leaves) await noteGap(tx, account.id, { missing: from.segment, detail });
    return leaves;
  });
  log.info({ segment: to.segment, reason: input.reason }, 'The feed was rewound.');
  if (on) await askForHealing(services);
  return { segment: to.segment };
}

/** Whether records between the two are never read. A shard that is not named begins anew. */
function leavesOut(from: FeedCursor, to: FeedStart): boolean {
  if (to.segment !== from.segment) return to.segment > from.segment;
  return Object.entries(to.shards).some(([shard, { chunk, offset, index }]) => {
    const before = from.shards[shard];
    if (before === undefined) return offset > 0 || index > 0 || !/\/0+\.avro$/.test(chunk);
    if (chunk !== before.chunk) return chunk > before.chunk;
    return offset === before.offset ? index > before.index : offset > before.offset;
  });
}

async function targetOf(services: Services, input: RewindInput, signal: AbortSignal): Promise<FeedStart> {
  const { clock, feed } = services;
  if (input.cursor !== undefined) return checkedSpot(feed, input.cursor, signal);
  const time = input.to === undefined ? clock.now() - (input.seconds ?? Number.NaN) * 1000 : Date.parse(input.to);
  if (Number.isNaN(time)) throw usage('a rewind needs a time (ISO 8601), a number of seconds, or a cursor');
  const segment = await findSegment(services, time, signal);
  if (segment === undefined) throw usage('the feed has no segment that could be read from');
  return { segment, shards: {} };
}

/** A place that somebody wrote by hand must be one that can be read from. */
async function checkedSpot(
  feed: FeedStore,
  { segment, shards = {} }: FeedSpot,
  signal: AbortSignal,
): Promise<FeedStart> {
  if (segmentTime(segment) === undefined) {
    throw usage(`${segment} is no manifest of a segment: idx/segments/YYYY/MM/DD/HHmm/meta.json`);
  }
  const file = await feed.readText(segment, {}, signal);
  if (typeof file !== 'object') throw usage(`the feed has no segment ${segment}`);
  const known = parseManifest(segment, file.text).shards;
  for (const [shard, { chunk, offset }] of Object.entries(shards)) {
    if (!known.includes(shard)) throw usage(`${segment} has no shard ${shard}; it has ${known.join(', ')}`);
    if (!chunk.startsWith(shard)) throw usage(`${chunk} is no chunk of the shard ${shard}`);
    const length = await lengthOf(feed, chunk, signal);
    if (length === undefined) throw usage(`the feed has no chunk ${chunk}`);
    if (offset > length) throw usage(`${chunk} has ${length} bytes, so that nothing is at ${offset}`);
  }
  return { segment, shards };
}

async function lengthOf(feed: FeedStore, chunk: string, signal: AbortSignal): Promise<number | undefined> {
  for await (const { path, length } of feed.list(chunk, signal)) if (path === chunk) return length;
  return undefined;
}

function usage(message: string): IsthmusError {
  return new IsthmusError('ISTHMUS_USAGE', `${message}.`);
}
