import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import { FolderFeedStore } from '../../activities/azure/folder-feed-store.ts';
import { SEGMENTS } from '../../schema/feed/segment-path.ts';
import { SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import type { WalkedFeed } from './walk/walked-feed.ts';

/**
 * The feed that a folder holds a copy of (a broken one may lack `segments.json`), or that of the federation's account.
 * Neither index nor Temporal is needed.
 */
export async function openFeed(dir: string | undefined, call: Call): Promise<WalkedFeed> {
  if (dir !== undefined) return { store: await FolderFeedStore.open(dir, [SEGMENTS_FILE, SEGMENTS]), isCopy: true };
  const { account } = await readFederation(call.config, call.env);
  return { store: new AzureFeedStore(blobService(account)), isCopy: false };
}
