import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import type { FeedShowOutput } from '../../schema/outputs/feed-show.ts';
import type { Call } from '../call.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { collectShow } from '../feed/show/collect-show.ts';
import { formatShow } from '../feed/show/format-show.ts';

/** `isthmus feed show`: where the feed is, how far it is read, and what of it was lost; exit 3 where it cannot be seen, or neither it nor the index is there. */
export async function feedShow(call: Call): Promise<ExitCode> {
  const federation = await readFederation(call.config, call.env);
  const store = new AzureFeedStore(blobService(federation.account));
  const output = await collectShow(federation, store, call);
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatShow(output)) call.terminal.print(line);
  return exitCodeOfShow(output);
}

/** That a feed is not there, behind or in alarm is an answer, as in `status`; that nobody answers, or may, is none. */
export function exitCodeOfShow({ feed, index }: Pick<FeedShowOutput, 'feed' | 'index'>): ExitCode {
  if (feed.exists === null) return EXIT.failed;
  return !feed.exists && index === null ? EXIT.failed : EXIT.good;
}
