import { judgedKeys } from '../../../reconciler/scope/judged-keys.ts';
import { includes } from '../../../reconciler/scope/key-set.ts';
import { readRecord } from '../../../schema/feed/record.ts';
import { type Account, readAccount } from '../../../schema/index/accounts.ts';
import { liveRules } from '../../../schema/index/authority-revisions.ts';
import type { Index, Queryable } from '../../../schema/index/database.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { cancelOnAbort } from '../../cancel-on-abort.ts';
import { isDamage, type Note } from '../walk/broken.ts';
import type { WalkedFeed } from '../walk/walked-feed.ts';
import { isBehind } from './behind-cursor.ts';
import { type CheckedRecord, checkFeed, type FeedCounts } from './check-feed.ts';
import { compareWords, type WordCounts } from './compare-words.ts';
import type { Finding, Told } from './finding.ts';
import { knownSkip } from './known-skip.ts';
import { LastWords } from './last-words.ts';

/** How much was told. */
interface TellCounts {
  findings: number;
  /** Told beside the findings: an operator has left it out. */
  skipped: number;
  /** Told beside the findings: it is odd, and nothing is wrong with it. */
  notes: number;
}

export interface VerifiedFeed extends Readonly<TellCounts> {
  readonly feed: FeedCounts;
  /** None where the feed alone was checked. */
  readonly index: (WordCounts & { readonly keys: number; readonly notTaken: number }) | undefined;
}

export interface VerifyFeedOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((doing: string) => void) | undefined;
}

/** Checks a feed by itself. @returns the counts, after every finding was handed out. */
export async function* verifyFeed(
  walked: WalkedFeed,
  { signal, onProgress }: VerifyFeedOptions,
): AsyncGenerator<Told, VerifiedFeed> {
  const feed: FeedCounts = { segments: 0, shards: 0, chunks: 0, records: 0, notYet: 0 };
  const take = async () => onProgress?.(`reading the feed: ${feed.records} records`);
  const told: TellCounts = { findings: 0, skipped: 0, notes: 0 };
  yield* countTold(checkFeed(walked, feed, take, signal), told);
  return { feed, ...told, index: undefined };
}

/**
 * Checks an account's feed, and compares its last word on each key with the index. Only what stands behind the cursor is
 * compared, as it was when this began: the index has taken that, and can only have gone on since. Keys that no rule
 * gives to Blob are left out. What an operator has left out is told, and is no finding.
 */
export async function* verifyFeedAndIndex(
  store: FeedStore,
  { index, account }: { readonly index: Index; readonly account: Account },
  { signal, onProgress }: VerifyFeedOptions,
): AsyncGenerator<Told, VerifiedFeed> {
  const cursor = await readCursor(index.db, account.id);
  const keys = judgedKeys((await liveRules(index.db, account.id))?.rules ?? [], '');
  const client = await index.pool.connect();
  const cancel = await cancelOnAbort(client, index, signal);
  try {
    const words = await LastWords.create(client);
    const feed: FeedCounts = { segments: 0, shards: 0, chunks: 0, records: 0, notYet: 0 };
    const told: TellCounts = { findings: 0, skipped: 0, notes: 0 };
    let notTaken = 0;
    const take = async (records: readonly CheckedRecord[]): Promise<void> => {
      for (const checked of records) {
        if (cursor === undefined || !isBehind(cursor, checked)) notTaken++;
        else await addWord(words, checked, (key) => includes(keys, key));
      }
      onProgress?.(`reading the feed: ${feed.records} records`);
    };
    const found = checkFeed({ store, isCopy: false }, feed, take, signal);
    yield* countTold(tellSkips(index.db, account.id, found), told);
    onProgress?.('comparing with the index');
    const counts: WordCounts = { agree: 0, looksDue: 0, past: 0, differ: 0 };
    const total = await words.seal();
    // As it is by now: what a purge has taken meanwhile is of the past.
    const judging = (await readAccount(index.db, account.name)) ?? account;
    yield* countTold(compareWords(client, index, judging, counts, signal), told);
    return { feed, ...told, index: { ...counts, keys: total, notTaken } };
  } catch (error) {
    // What the abort broke off is not what went wrong.
    signal.throwIfAborted();
    throw error;
  } finally {
    cancel();
    client.release(true);
  }
}

async function* countTold(telling: AsyncIterable<Told>, counts: TellCounts): AsyncGenerator<Told> {
  for await (const told of telling) {
    if (told.kind === 'note') counts.notes++;
    else if (told.kind === 'skipped') counts.skipped++;
    else counts.findings++;
    yield told;
  }
}

/** Tells what an operator has left out as that. */
async function* tellSkips(
  on: Queryable,
  accountId: number,
  finding: AsyncIterable<Finding | Note>,
): AsyncGenerator<Told> {
  for await (const found of finding) {
    yield found.kind === 'note' ? found : ((await knownSkip(on, accountId, found)) ?? found);
  }
}

async function addWord(
  words: LastWords,
  { record, position }: CheckedRecord,
  isFederated: (key: { readonly container: string; readonly name: string }) => boolean,
): Promise<void> {
  try {
    const { change } = readRecord(record, { ...position, path: position.chunk }, 'feed');
    if (!('ignored' in change) && isFederated(change)) await words.add(change, position);
  } catch (error) {
    // It was found when its order was checked.
    if (!isDamage(error)) throw error;
  }
}
