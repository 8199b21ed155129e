import { IsthmusError } from '../../schema/errors.ts';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import { segmentTime } from '../../schema/feed/segment-path.ts';
import { type FeedCursor, holdCursor, readCursor, setCursor } from '../../schema/index/feed-cursors.ts';
import { noteGap } from '../../schema/index/feed-gaps.ts';
import { noteSkip, readSkips } from '../../schema/index/feed-skips.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { transact } from '../../schema/index/transact.ts';
import type { SkipInput } from '../../schema/inputs/activities.ts';
import { FeedReader } from '../azure/feed-reader.ts';
import { blockAfter } from '../azure/feed-records.ts';
import type { Services } from '../services.ts';
import { askForHealing } from './gap.ts';
import { leftOutOf } from './left-out.ts';
import { skipSegment } from './skip-segment.ts';

const RECENT = 20;

/**
 * Leaves out the block that a shard stands at, with a reason, for good: what its records said a reconcile heals, as
 * it heals a gap. Only the very block that the feed stops at can be left out, so that a slip of the pen leaves out
 * nothing. A manifest that cannot be read is left out with its whole segment.
 */
export async function skipFeedBlock(
  services: Services,
  { chunk, offset, reason }: SkipInput,
  signal: AbortSignal,
): Promise<{ readonly from: number; readonly to: number }> {
  const { account, feed, index, log } = services;
  const cursor = await readCursor(index.db, account.id);
  const shard = chunk.slice(0, chunk.lastIndexOf('/') + 1);
  if (cursor === undefined) throw refused(chunk, offset, 'nothing of the feed has been read');
  const left = segmentTime(chunk) === undefined ? undefined : await skipSegment(feed, cursor, chunk, signal);
  const elsewhere = left === undefined ? await whyElsewhere(services, cursor, shard, { chunk, offset }, signal) : left;
  if (typeof elsewhere === 'string') {
    // An attempt whose answer was lost has done it already.
    const skips = await readSkips(index.db, account.id, RECENT);
    const done = skips.find((each) => each.chunk === chunk && each.from === offset && each.reason === reason);
    if (done === undefined) throw refused(chunk, offset, elsewhere);
    return { from: offset, to: done.to };
  }
  const skipped = typeof left === 'string' ? undefined : left;
  const to = skipped?.length ?? (await blockAfter(feed, chunk, offset, signal));
  await transact(index, async (tx) => {
    const held = await holdCursor(tx, account.id);
    if (held?.version !== cursor.version || held.shards[shard]?.version !== cursor.shards[shard]?.version) {
      throw refused(chunk, offset, 'the feed has moved meanwhile');
    }
    const place = { chunk, offset: to, index: 0 };
    await setCursor(tx, account.id, skipped?.to ?? { ...held, shards: { ...held.shards, [shard]: place } });
    await noteSkip(tx, account.id, { chunk, from: offset, to, reason });
    const detail = { skipped: { from: offset, to }, reason };
    await noteGap(tx, account.id, { missing: chunk, detail });
    await recordJournal(tx, account.id, [{ kind: 'feed-skipped', detail: { chunk, ...detail } }]);
  });
  log.warn({ chunk, from: offset, to, reason }, 'A block of the feed was left out.');
  await askForHealing(services);
  return { from: offset, to };
}

/** Undefined where reading on from the shard's cursor stops at once, at this very block. */
async function whyElsewhere(
  services: Services,
  cursor: FeedCursor,
  shard: string,
  at: { readonly chunk: string; readonly offset: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  // Whoever asks has waited already for what is torn.
  const reader = new FeedReader(services.feed, { source: 'feed', graceMs: 0, leftOut: leftOutOf(services) });
  const stop = await firstStop(reader, cursor, shard, signal);
  if (stop?.path === at.chunk && stop.offset === at.offset) return undefined;
  if (stop !== undefined) return `the shard stops at byte ${stop.offset} of ${stop.path}`;
  const place = cursor.shards[shard];
  if (place?.chunk === at.chunk && place.offset === at.offset) return 'nothing is damaged there';
  if (place !== undefined) return `the shard stands at byte ${place.offset} of ${place.chunk}`;
  return `no shard of ${cursor.segment} stops there`;
}

/** The damage that a shard meets before any record, if it does. */
async function firstStop(
  reader: FeedReader,
  cursor: FeedCursor,
  shard: string,
  signal: AbortSignal,
): Promise<FeedCorruptError | undefined> {
  const segments = reader.segments(cursor, signal);
  try {
    const step = await segments.next();
    const reading = step.done === true ? undefined : step.value.shards.find(({ prefix }) => prefix === shard);
    const pages = reading?.pages(signal);
    try {
      await pages?.next();
    } finally {
      await pages?.return('torn');
    }
    return undefined;
  } catch (error) {
    if (error instanceof FeedCorruptError) return error;
    throw error;
  } finally {
    await segments.return({ head: undefined, caughtUp: false, lastConsumable: undefined });
  }
}

function refused(chunk: string, offset: number, why: string): IsthmusError {
  return new IsthmusError('ISTHMUS_USAGE', `The block at byte ${offset} of ${chunk} is not left out: ${why}.`);
}
