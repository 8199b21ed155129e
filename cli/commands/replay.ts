import { SingleBar } from 'cli-progress';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { replayFolder } from '../replay/replay-folder.ts';

/** `isthmus replay`: one JSON object, with `--json` or without. */
export async function replay(
  options: { readonly feed: string; readonly account: string; readonly index?: string | undefined },
  call: Call,
): Promise<ExitCode> {
  const bar = call.terminal.interactive
    ? new SingleBar({ format: '{records} records  {segment}', clearOnComplete: true, hideCursor: true })
    : undefined;
  bar?.start(1, 0, { records: 0, segment: '' });
  try {
    const summary = await replayFolder(options.feed, options.account, {
      indexUrl: options.index,
      signal: call.signal,
      onProgress: (progress) => bar?.update(0, progress),
    });
    bar?.stop();
    call.terminal.print(JSON.stringify(summary));
    return EXIT.good;
  } finally {
    bar?.stop();
  }
}
