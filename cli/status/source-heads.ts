import type { Timestamp } from '../../namespace/entry.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import type { TriggerQueue } from '../../schema/ports/trigger-queue.ts';
import { messageOf } from '../failure.ts';

/** What is asked: the sources themselves, so that a loop that stands still cannot hide that there is news. */
export interface AskedSources {
  readonly federation: Federation;
  readonly account: Pick<Account, 'horizon'>;
  readonly feed: FeedStore;
  /** Undefined where the federation has no queue. */
  readonly triggers: TriggerQueue | undefined;
}

/** Where one source stands: what it has, and what of it the index has. */
export interface SourceHead {
  readonly source: SourceRow['source'];
  readonly head: Timestamp | undefined;
  readonly applied: Timestamp | undefined;
  /** There is, or may be, news that was not taken; in words for people. */
  readonly behind: string | undefined;
  /** Moves when anything of the source is taken. */
  readonly progress: string;
  /** Where it is behind: a moment by which there was news that was not taken. */
  readonly since: Timestamp | undefined;
  readonly state: string;
  readonly reason: string | undefined;
}

const HOUR = 3_600_000;
/** A loop that has not said anything for this long, and two of its polls, is not reading. */
const UNHEARD_MS = 2_000;

/** Each source that the federation names, whether or not the index has heard of it. */
export async function sourceHeads(
  asked: AskedSources,
  rows: readonly SourceRow[],
  now: Timestamp,
  signal: AbortSignal,
): Promise<readonly SourceHead[]> {
  const { sources } = asked.federation;
  const row = (source: SourceRow['source']) => rows.find((each) => each.source === source);
  const heads: Promise<SourceHead>[] = [];
  if (asked.triggers !== undefined) heads.push(triggerHead(asked.triggers, row('trigger')));
  if (sources.changeFeed !== undefined) {
    heads.push(feedHead(asked.feed, row('feed'), sources.changeFeed.pollSeconds * 1000, now, signal));
  }
  if (sources.inventory !== undefined)
    heads.push(inventoryHead(row('inventory'), sources.inventory.everyHours, asked.account.horizon, now));
  return await Promise.all(heads);
}

async function triggerHead(queue: TriggerQueue, row: SourceRow | undefined): Promise<SourceHead> {
  const known = standingOf('trigger', row);
  try {
    const oldest = await queue.oldest();
    return {
      ...known,
      head: oldest === undefined ? known.head : Math.max(oldest, known.head ?? oldest),
      behind: oldest === undefined ? undefined : 'messages wait in the queue',
      progress: `${known.applied} ${oldest}`,
      since: oldest,
    };
  } catch (error) {
    return { ...known, state: 'unreachable', reason: messageOf(error), behind: 'the queue cannot be asked' };
  }
}

async function feedHead(
  feed: FeedStore,
  row: SourceRow | undefined,
  pollMs: number,
  now: Timestamp,
  signal: AbortSignal,
): Promise<SourceHead> {
  const known = standingOf('feed', row);
  const silentMs = row === undefined ? Number.POSITIVE_INFINITY : now - row.updatedAt;
  if (row?.state === 'no-feed' && silentMs < UNHEARD_MS + 60_000) return known;
  try {
    const file = await feed.readText(SEGMENTS_FILE, {}, signal);
    const opened = typeof file !== 'object' ? undefined : parseSegments(file.text).lastConsumable;
    const head = Math.max(opened ?? 0, known.head ?? 0) || undefined;
    const behind =
      head !== undefined && head > (known.applied ?? 0)
        ? 'records of the feed are not applied'
        : silentMs > UNHEARD_MS + 2 * pollMs
          ? 'the feed is not being read'
          : undefined;
    const since = head !== undefined && head > (known.applied ?? 0) ? head : row?.updatedAt;
    return { ...known, head, behind, since };
  } catch (error) {
    signal.throwIfAborted();
    return { ...known, state: 'unreachable', reason: messageOf(error), behind: 'the feed cannot be asked' };
  }
}

/** A report that did not come within twice its time is missing; before the first, that counts from the account's horizon. */
async function inventoryHead(
  row: SourceRow | undefined,
  everyHours: number,
  horizon: Timestamp | undefined,
  now: Timestamp,
): Promise<SourceHead> {
  const known = standingOf('inventory', row);
  const since = known.applied ?? known.head ?? horizon;
  const missing = since !== undefined && now - since > 2 * everyHours * HOUR;
  const behind = missing ? `no report was applied for ${Math.floor((now - since) / HOUR)} hours` : undefined;
  return { ...known, behind, since };
}

function standingOf(source: SourceRow['source'], row: SourceRow | undefined): SourceHead {
  const { head, applied, state = 'unheard', reason } = row ?? {};
  const progress = `${applied} ${JSON.stringify(row?.detail)}`;
  return { source, head, applied, behind: undefined, since: undefined, progress, state, reason };
}
