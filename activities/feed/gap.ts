import { messageOf } from '../../schema/errors.ts';
import type { FeedGapError } from '../../schema/feed/feed-error.ts';
import { type FeedCursor, forgetCursor, holdCursor, setCursor } from '../../schema/index/feed-cursors.ts';
import { type FeedGap, noteGap, noteRequested, readGaps } from '../../schema/index/feed-gaps.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { recentRuns } from '../../schema/index/runs.ts';
import { transact } from '../../schema/index/transact.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { chunkNumber } from '../azure/chunk-listing.ts';
import type { FeedStart } from '../azure/feed-page.ts';
import type { Services } from '../services.ts';
import { nextSegment } from './next-segment.ts';

const MOST_GAPS = 1_000;
const ASK_AGAIN_MS = 3_600_000;

/**
 * Writes a gap down and sets the cursor behind it, in one transaction: the tail goes on with what there is, and a
 * listing of everything, which is asked for at once, heals what is missing. Never passed over in silence.
 *
 * @param at the cursor that the gap was met from. `lost`: it has moved meanwhile, and whoever moved it meets the
 * gap itself, if there still is one.
 */
export async function passGap(
  services: Services,
  at: FeedCursor | undefined,
  gap: FeedGapError,
  signal: AbortSignal,
): Promise<'passed' | 'lost'> {
  const { account, feed, index, log, metrics } = services;
  const to = await placeAfterGap(feed, at, gap.missing, signal);
  const passed = await transact(index, async (tx) => {
    const held = await holdCursor(tx, account.id);
    if ((held?.version ?? 0) !== (at?.version ?? 0)) return false;
    if (to !== undefined) await setCursor(tx, account.id, to);
    else await forgetCursor(tx, account.id);
    const detail = { reason: gap.message, from: spotOf(held), to };
    await noteGap(tx, account.id, { missing: gap.missing, detail });
    await recordJournal(tx, account.id, [{ kind: 'feed-gap', detail: { missing: gap.missing, ...detail } }]);
    return true;
  });
  if (!passed) return 'lost';
  metrics.feedGap();
  log.error({ missing: gap.missing, to: to?.segment }, `Alarm: a gap in the feed: ${gap.message}`);
  return 'passed';
}

/**
 * Asks for a listing of everything where a gap has none yet. Where it cannot be asked for, it is at the next turn;
 * where the one that was asked for ended without healing it, because it failed or was guarded, after an hour.
 *
 * @returns what there is to say of gaps that are not healed.
 */
export async function askForHealing(services: Services): Promise<string | undefined> {
  const { account, index, log } = services;
  const open = await readGaps(index.db, account.id, { limit: MOST_GAPS, open: true });
  const [newest] = open;
  if (newest === undefined) return undefined;
  const what = open.length === 1 ? newest.missing : `${open.length} files, ${newest.missing} the last,`;
  try {
    if (await isToBeAskedFor(services, open)) {
      await services.requestReconcile({ judge: 'listing' });
      await noteRequested(index.db, account.id, newest.id);
    }
    return `gap: ${what} was not read; a reconcile that lists everything will heal it`;
  } catch (error) {
    const message = messageOf(error);
    log.warn({ error: message }, 'the reconcile that is to heal a gap of the feed could not be asked for');
    return `gap: ${what} was not read, and the reconcile that is to heal it cannot be asked for: ${message}`;
  }
}

async function isToBeAskedFor({ account, clock, index }: Services, open: readonly FeedGap[]): Promise<boolean> {
  if (open.some(({ requestedAt }) => requestedAt === undefined)) return true;
  const asked = Math.max(...open.map(({ requestedAt }) => requestedAt ?? 0));
  if (clock.now() - asked < ASK_AGAIN_MS) return false;
  // One that still runs, however long, may heal it.
  const [last] = await recentRuns(index.db, account.id, { limit: 1 });
  return last === undefined || last.outcome !== undefined;
}

/** The first place behind what is missing. @returns undefined where the feed has nothing any more. */
async function placeAfterGap(
  store: FeedStore,
  at: FeedCursor | undefined,
  missing: string,
  signal: AbortSignal,
): Promise<FeedStart | undefined> {
  // The cursor's segment or the first one after it, else the oldest there is.
  const { next, oldest } = await nextSegment(store, at?.segment, missing, signal);
  const segment = next ?? oldest;
  if (segment === undefined) return undefined;
  if (at === undefined || segment !== at.segment) return { segment, shards: {} };
  // Retention has begun with this segment's chunks: of that shard, those that are left.
  const prefix = missing.slice(0, missing.lastIndexOf('/') + 1);
  const number = chunkNumber(prefix, missing) ?? 0;
  const { [prefix]: place, ...others } = at.shards;
  let listed: number | undefined;
  for await (const { path, length } of store.list(prefix, signal)) {
    if ((chunkNumber(prefix, path) ?? -1) < number) continue;
    // A chunk that is shorter than it was is read anew. One that cannot be had is only listed still, maybe for ever.
    const isShorter = place?.chunk === path && length < place.offset;
    if (path !== missing || isShorter) {
      return { segment, shards: { ...others, [prefix]: { chunk: path, offset: 0, index: 0 } } };
    }
    listed = length;
  }
  if (listed === undefined) return { segment, shards: others };
  // Nothing follows it yet: at its end, it is not asked for again what it is listed with.
  return { segment, shards: { ...others, [prefix]: { chunk: missing, offset: listed, index: 0 } } };
}

function spotOf(cursor: FeedCursor | undefined): FeedStart | undefined {
  return cursor === undefined ? undefined : { segment: cursor.segment, shards: cursor.shards };
}
