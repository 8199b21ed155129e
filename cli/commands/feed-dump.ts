import { IsthmusError } from '../../schema/errors.ts';
import { emptyRange } from '../../schema/inputs/feed-jobs.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { dumpFeed } from '../feed/dump/dump-feed.ts';
import type { Wanted } from '../feed/dump/wanted.ts';
import { openFeed } from '../feed/open-feed.ts';
import { BrokenThings, noteLine } from '../feed/tell-broken.ts';
import { typed } from '../feed/typed.ts';
import { formatTime } from '../format.ts';

export interface FeedDumpOptions extends Wanted {
  readonly dir?: string | undefined;
}

/** `isthmus feed dump`: JSON lines, with `--json` or without; then, beside them, what is broken, and exit 1. */
export async function feedDump({ dir, from, to, prefix }: FeedDumpOptions, call: Call): Promise<ExitCode> {
  const { terminal, signal } = call;
  if (from !== undefined && to !== undefined) {
    const empty = emptyRange(typed('feed dump', '--from 1h'), { from: formatTime(from), to: formatTime(to) });
    if (empty !== undefined) throw new IsthmusError('ISTHMUS_USAGE', empty);
  }
  const feed = await openFeed(dir, call);
  using broken = new BrokenThings(terminal);
  for await (const dumped of dumpFeed(feed, { from, to, prefix }, signal)) {
    signal.throwIfAborted();
    if (dumped.kind === 'lines') await terminal.write(dumped.text);
    else if (dumped.kind === 'broken') broken.add(dumped);
    else if (dumped.kind === 'note') terminal.say(noteLine(dumped));
    else {
      const segments = dumped.segments === 1 ? 'One segment was' : `${dumped.segments} segments were`;
      terminal.say(`${segments} left out: opened after lastConsumable, not to be read yet.`);
    }
  }
  return broken.count === 0 ? EXIT.good : EXIT.no;
}
