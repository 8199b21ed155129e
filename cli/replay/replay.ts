import { FeedReader } from '../../activities/azure/feed-reader.ts';
import { drainFeed, type FeedConsumer } from '../../activities/feed/drain-feed.ts';
import { compileRules } from '../../namespace/authority.ts';
import type { BlobEvent } from '../../namespace/change.ts';
import { type Account, ensureAccount } from '../../schema/index/accounts.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import { liveRules, publishRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import { type LiveRules, type RulesInUse, underLiveRules } from '../../schema/index/live-rules.ts';
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
  const rules = rulesOf(index, account);
  const policy = { margin: account.margin, looks: false };
  const total = { records: 0, applied: 0, superseded: 0 };
  const byType: Record<string, number> = {};
  const ignored: Record<string, number> = {};
  const apply = (events: readonly BlobEvent[]) =>
    underLiveRules(rules, ({ index: compiled, revision }) =>
      transact(index, (tx) => applyEvents(tx, { account, rules: compiled, ruleRevision: revision, policy, events })),
    );
  // A copy in a folder does not grow: a segment with a successor is finished, whatever its manifest says.
  const reader = new FeedReader(store, { source: 'replay', graceMs: 0 });
  const consumer: FeedConsumer = {
    begin: async () => true,
    enough: () => signal.aborted,
    async take(page) {
      const applied = page.events.length === 0 ? undefined : await apply(page.events);
      add(byType, page.byType);
      add(ignored, page.ignored);
      add(ignored, applied?.ignored ?? {});
      total.records += page.records;
      total.applied += applied?.applied ?? 0;
      total.superseded += applied?.superseded ?? 0;
      onProgress?.({ records: total.records, segment: page.segment });
    },
  };
  await drainFeed(reader, undefined, consumer, { now: Date.now }, signal);
  signal.throwIfAborted();
  const counts = await countEntries(index.db, account.id);
  const digest = await digestEntries(index, account.id, '');
  return { ...total, byType, ignored, live: counts.live, tombstones: counts.tombstones + counts.dead, digest };
}

/** The account's live rules, read once and again whenever somebody else has published others. */
function rulesOf(index: Index, account: Account): RulesInUse {
  const everything = [{ prefix: '', authority: 'blob', sink: 'replay' }] as const;
  const read = async (): Promise<LiveRules> => {
    const live =
      (await liveRules(index.db, account.id)) ??
      (await publishRules(index, account.id, everything, 'replay of a feed'));
    return { index: compileRules(live), revision: live.revision };
  };
  let kept: Promise<LiveRules> | undefined;
  return {
    rules: () => (kept ??= read()),
    rulesAreStale: () => {
      kept = undefined;
    },
  };
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [word, count] of Object.entries(more)) sum[word] = (sum[word] ?? 0) + count;
}
