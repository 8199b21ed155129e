import type { BlobServiceClient } from '@azure/storage-blob';
import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { parseSegments, SEGMENTS_FILE } from '../../schema/feed/segments.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import { type Asking, ask } from './ask.ts';
import type { Finding } from './finding.ts';
import { judgeFeed, judgeFeedFailure } from './judge-feed.ts';

/** Asks for the feed's list of segments, as its tail does with each poll; `row`: what the tail last said. */
export async function* checkFeed(
  { account }: Pick<Federation, 'account'>,
  service: BlobServiceClient,
  row: SourceRow | undefined,
  asking: Asking,
): AsyncGenerator<Finding> {
  const store = new AzureFeedStore(service);
  const asked = await ask(asking, 'the change feed', async (signal) => {
    const file = await store.readText(SEGMENTS_FILE, {}, signal);
    return typeof file === 'object' ? parseSegments(file.text).lastConsumable : undefined;
  });
  yield asked.answered ? judgeFeed(asked.answer, row, account.name) : judgeFeedFailure(asked.error, account.name);
}
