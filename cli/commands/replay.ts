import type { ReplayOutput } from '../../schema/outputs/replay.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { progressLine } from '../progress-line.ts';
import { replayFolder } from '../replay/replay-folder.ts';

/** `isthmus replay`: one JSON object, with `--json` or without. */
export async function replay(
  options: { readonly feed: string; readonly account: string; readonly index?: string | undefined },
  call: Call,
): Promise<ExitCode> {
  using line = progressLine(call.terminal);
  const { byType, ignored, digest, ...counts } = await replayFolder(options.feed, options.account, {
    indexUrl: options.index,
    signal: call.signal,
    onProgress: ({ records, segment }) => line.show(`${records} records, ${segment}`),
  });
  const output: ReplayOutput = { ...counts, byType: { ...byType }, ignored: { ...ignored }, digest: { ...digest } };
  call.terminal.print(JSON.stringify(output));
  return EXIT.good;
}
