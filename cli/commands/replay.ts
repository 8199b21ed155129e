import { IsthmusError } from '../../schema/errors.ts';
import type { ReplayOutput } from '../../schema/outputs/replay.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { progressLine } from '../progress-line.ts';
import { type FolderOptions, replayFolder } from '../replay/replay-folder.ts';
import { type ReplayFeedOptions, replayFeed } from './replay-feed.ts';

export interface ReplayOptions extends ReplayFeedOptions {
  readonly feed?: string | undefined;
  readonly account?: string | undefined;
  readonly index?: string | undefined;
  /** The feed may be of another account than `account`. */
  readonly anyAccount?: boolean | undefined;
}

/** `isthmus replay`: of a folder with `--feed`, else of the account's own feed, by a workflow. */
export async function replay(
  { feed, account, index, anyAccount, ...range }: ReplayOptions,
  call: Call,
): Promise<ExitCode> {
  if (feed !== undefined) {
    if (account !== undefined) return await replayFrom(feed, account, { indexUrl: index, anyAccount }, call);
    throw new IsthmusError('ISTHMUS_USAGE', 'Whose feed it is must be said: pass --account NAME with --feed.');
  }
  if (account === undefined && index === undefined && anyAccount !== true) return await replayFeed(range, call);
  throw new IsthmusError(
    'ISTHMUS_USAGE',
    '--account, --index and --any-account go with --feed DIR, a feed that is kept in a folder.',
  );
}

/** One JSON object, with `--json` or without. */
async function replayFrom(
  feed: string,
  account: string,
  into: Pick<FolderOptions, 'indexUrl' | 'anyAccount'>,
  call: Call,
): Promise<ExitCode> {
  using line = progressLine(call.terminal);
  const { byType, ignored, digest, ...counts } = await replayFolder(feed, account, {
    ...into,
    signal: call.signal,
    onProgress: ({ records, segment }) => line.show(`${records} records, ${segment}`),
  });
  const output: ReplayOutput = { ...counts, byType: { ...byType }, ignored: { ...ignored }, digest: { ...digest } };
  call.terminal.print(JSON.stringify(output));
  return EXIT.good;
}
