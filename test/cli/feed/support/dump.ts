import { type FeedDumpOptions, feedDump } from '../../../../cli/commands/feed-dump.ts';
import { recordingTerminal } from '../../recording-terminal.ts';
import type { Dumped } from './by-avsc.ts';

/** Runs `isthmus feed dump` on a folder. */
export async function dump(dir: string, options: Omit<FeedDumpOptions, 'dir'> = {}) {
  const terminal = recordingTerminal();
  const call = { env: {}, terminal, signal: new AbortController().signal, json: false, config: undefined };
  const code = await feedDump({ dir, ...options }, call);
  const records = terminal.printed.map((line) => JSON.parse(line) as Dumped);
  return { code, records, said: terminal.said };
}
