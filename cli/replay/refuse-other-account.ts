import { readChunk } from '../../activities/azure/feed-records.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { topicAccount } from '../../schema/events/topic-account.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { CHUNKS } from '../feed/walk/chunks.ts';
import { printable } from '../terminal.ts';

/**
 * Holds a feed's topics against the account that it is said to be of. One service writes a chunk, for one account, so
 * that the first record of each speaks for all of it. A record whose topic names no storage account is not suspected,
 * nor is a chunk that cannot be read: whoever reads it tells that.
 *
 * @throws IsthmusError `ISTHMUS_USAGE` at the first record of another account.
 */
export async function refuseOtherAccount(store: FeedStore, account: string, signal: AbortSignal): Promise<void> {
  for await (const { path } of store.list(CHUNKS, signal)) {
    if (!path.endsWith('.avro')) continue;
    const { value: first } = await readChunk(store, path, signal).next();
    if (first === undefined || !('record' in first)) continue;
    const owner = ownerOf(first.record);
    if (owner !== undefined && owner !== account) throw refusal(path, first.offset, owner, account);
  }
}

function ownerOf(record: unknown): string | undefined {
  const topic: unknown = Object(record).topic;
  return typeof topic === 'string' ? topicAccount(topic) : undefined;
}

function refusal(chunk: string, offset: number, owner: string, account: string): IsthmusError {
  const named = printable(owner);
  return new IsthmusError(
    'ISTHMUS_USAGE',
    `${chunk} at byte ${offset}: the record there is of the storage account ${named}, but --account is ${account}. ` +
      `Nothing was applied. If the feed is of ${named}, pass --account ${named}; ` +
      `to apply it as ${account} all the same, add --any-account.`,
  );
}
