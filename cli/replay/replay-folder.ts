import { FolderFeedStore } from '../../activities/azure/folder-feed-store.ts';
import { openIndex } from '../../schema/index/database.ts';
import { migrateIndex } from '../../schema/index/migrate.ts';
import { refuseOtherAccount } from './refuse-other-account.ts';
import { type ReplayOptions, type ReplaySummary, replayFeed } from './replay.ts';
import { startThrowawayPostgres } from './throwaway-postgres.ts';

export interface FolderOptions extends ReplayOptions {
  readonly indexUrl?: string | undefined;
  /** The records may be of another account. Into an index that is gone afterwards they always may. */
  readonly anyAccount?: boolean | undefined;
}

/**
 * Replays a feed that is kept in a folder, into the index at a URL or into one that is gone afterwards.
 *
 * @throws `ISTHMUS_FEED_UNAVAILABLE` where the folder holds no feed, `ISTHMUS_USAGE` where it is another account's.
 */
export async function replayFolder(folder: string, account: string, options: FolderOptions): Promise<ReplaySummary> {
  const store = await FolderFeedStore.open(folder);
  if (options.indexUrl !== undefined && options.anyAccount !== true) {
    await refuseOtherAccount(store, account, options.signal);
  }
  await using throwaway = options.indexUrl === undefined ? await startThrowawayPostgres() : undefined;
  const index = openIndex(throwaway?.url ?? options.indexUrl ?? '', { max: 2, applicationName: 'isthmus replay' });
  try {
    await migrateIndex(index);
    return await replayFeed(index, store, account, options);
  } finally {
    await index.close();
  }
}
