import { AzureFeedStore } from '../../activities/azure/azure-feed-store.ts';
import { blobService } from '../../activities/azure/blob-service.ts';
import type { FeedVerifyOutput } from '../../schema/outputs/feed-verify.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openFeed } from '../feed/open-feed.ts';
import type { Told } from '../feed/verify/finding.ts';
import { findingLine, findingOutput, summaryLines } from '../feed/verify/format-finding.ts';
import { type VerifiedFeed, verifyFeed, verifyFeedAndIndex } from '../feed/verify/verify-feed.ts';
import { openAccount } from '../open-account.ts';
import { progressLine } from '../progress-line.ts';

/** `isthmus feed verify`: what is wrong as it is found, then the counts; exit 1 where anything is. */
export async function feedVerify({ dir }: { readonly dir?: string | undefined }, call: Call): Promise<ExitCode> {
  using line = progressLine(call.terminal);
  const options = { signal: call.signal, onProgress: (doing: string) => line.show(doing) };
  if (dir !== undefined) return await print(verifyFeed(await openFeed(dir, call), options), call);
  await using open = await openAccount(call);
  const store = new AzureFeedStore(blobService(open.federation.account));
  return await print(verifyFeedAndIndex(store, open, options), call);
}

async function print(verifying: AsyncGenerator<Told, VerifiedFeed>, { terminal, json }: Call): Promise<ExitCode> {
  for (;;) {
    const next = await verifying.next();
    if (next.done !== true) {
      await terminal.write(`${json ? JSON.stringify(findingOutput(next.value)) : findingLine(next.value)}\n`);
      continue;
    }
    const { feed, index, findings, skipped, notes } = next.value;
    const good = findings === 0;
    const output: FeedVerifyOutput = {
      good,
      findings,
      skipped,
      notes,
      ...feed,
      index: index === undefined ? null : { ...index },
    };
    if (json) terminal.print(JSON.stringify(output));
    else for (const each of summaryLines(output)) terminal.print(each);
    return good ? EXIT.good : EXIT.no;
  }
}
