import { FolderFeedStore } from '../../activities/azure/folder-feed-store.ts';
import { openIndex } from '../../schema/index/database.ts';
import { migrateIndex } from '../../schema/index/migrate.ts';
import { type ReplayOptions, type ReplaySummary, replayFeed } from './replay.ts';
import { startThrowawayPostgres } from './throwaway-postgres.ts';

/**
 * Replays a feed that is kept in a folder, into the index at a URL or into one that is gone afterwards.
 *
 * @throws `ISTHMUS_FEED_UNAVAILABLE` where the folder holds no feed.
 */
export async function replayFolder(
  folder: string,
  account: string,
  options: ReplayOptions & { readonly indexUrl?: string | undefined },
): Promise<ReplaySummary> {
  const store = await FolderFeedStore.open(folder);
  await using throwaway = options.indexUrl === undefined ? await startThrowawayPostgres() : undefined;
  const index = openIndex(throwaway?.url ?? options.indexUrl ?? '', { max: 2, applicationName: 'isthmus replay' });
  try {
    await migrateIndex(index);
    return await replayFeed(index, store, account, options);
  } finally {
    await index.close();
  }
}
