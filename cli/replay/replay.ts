import type { FeedPage } from '../../activities/azure/feed-page.ts';
import { FeedReader } from '../../activities/azure/feed-reader.ts';
import { compileRules, type RuleIndex } from '../../namespace/authority.ts';
import type { BlobEvent } from '../../namespace/change.ts';
import { hasCode } from '../../schema/errors.ts';
import { type Account, ensureAccount } from '../../schema/index/accounts.ts';
import { applyEvents, type PageCounts } from '../../schema/index/apply-events.ts';
import { liveRules, publishRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import { countEntries, type Digest, digestEntries } from '../../schema/index/queries.ts';
import { transact } from '../../schema/index/transact.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';

/** What a replay did. `applied + superseded + Σ ignored = records`. */
export interface ReplaySummary {
  readonly records: number;
  /** By the records' own word for their type. */
  readonly byType: Readonly<Record<string, number>>;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: Readonly<Record<string, number>>;
  /** Of the account, afterwards. */
  readonly live: number;
  readonly tombstones: number;
  readonly digest: Digest;
}

export interface ReplayProgress {
  readonly records: number;
  /** The segment that is being read. */
  readonly segment: string;
}

export interface ReplayOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
}

/**
 * Applies a whole feed to an index. No blob is looked at: ETag and length are the records' own. Replaying again
 * changes nothing. An account that has no rules gets one, which gives every container to Blob; one that has keeps
 * them. The account's own feed cursor is left alone.
 */
export async function replayFeed(
  index: Index,
  store: FeedStore,
  accountName: string,
  { signal, onProgress }: ReplayOptions,
): Promise<ReplaySummary> {
  const account = await ensureAccount(index, accountName);
  let rules = await rulesOf(index, account);
  const total = { records: 0, applied: 0, superseded: 0 };
  const byType: Record<string, number> = {};
  const ignored: Record<string, number> = {};
  // A copy in a folder does not grow: a segment with a successor is finished, whatever its manifest says.
  const reader = new FeedReader(store, { source: 'replay', graceMs: 0 });
  const takePage = async (page: FeedPage) => {
    signal.throwIfAborted();
    add(byType, page.byType);
    add(ignored, page.ignored);
    total.records += page.records;
    if (page.events.length > 0) {
      const applied = await patiently(
        async () => applyPage(index, account, rules, page.events),
        async () => {
          rules = await rulesOf(index, account);
        },
      );
      total.applied += applied.applied;
      total.superseded += applied.superseded;
      add(ignored, applied.ignored);
    }
    onProgress?.({ records: total.records, segment: page.segment });
  };
  for await (const segment of reader.segments(undefined, signal)) {
    for (const shard of segment.shards) for await (const page of shard.pages(signal)) await takePage(page);
  }
  const counts = await countEntries(index.db, account.id);
  const digest = await digestEntries(index, account.id, '');
  return { ...total, byType, ignored, live: counts.live, tombstones: counts.tombstones + counts.dead, digest };
}

function applyPage(index: Index, account: Account, rules: Rules, events: readonly BlobEvent[]): Promise<PageCounts> {
  return transact(index, (tx) =>
    applyEvents(tx, { account, ...rules, policy: { margin: account.margin, looks: false }, events }),
  );
}

/** Does it again where somebody else has published other rules meanwhile. */
async function patiently<T>(work: () => Promise<T>, refresh: () => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'ISTHMUS_RULES_MOVED')) throw error;
      await refresh();
    }
  }
}

interface Rules {
  readonly rules: RuleIndex;
  readonly ruleRevision: number;
}

async function rulesOf(index: Index, account: Account): Promise<Rules> {
  const everything = [{ prefix: '', authority: 'blob', sink: 'replay' }] as const;
  const live =
    (await liveRules(index.db, account.id)) ?? (await publishRules(index, account.id, everything, 'replay of a feed'));
  return { rules: compileRules(live), ruleRevision: live.revision };
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [word, count] of Object.entries(more)) sum[word] = (sum[word] ?? 0) + count;
}
