import type { Broken, Note } from '../walk/broken.ts';
import type { NotYet } from '../walk/segments.ts';
import { walkFeed } from '../walk/walk-feed.ts';
import type { WalkedFeed } from '../walk/walked-feed.ts';
import { recordJson } from './record-json.ts';
import { isWanted, type Wanted } from './wanted.ts';

/** The lines of one block, to be written as they are; or what a reader of the feed should know. */
export type Dumped = { readonly kind: 'lines'; readonly text: string } | Broken | Note | NotYet;

/** Every record that is wanted and whole, once, in shard order, as JSON lines; and everything that is broken. */
export async function* dumpFeed(feed: WalkedFeed, wanted: Wanted, signal: AbortSignal): AsyncGenerator<Dumped> {
  for await (const met of walkFeed(feed, wanted, signal)) {
    if (met.kind === 'broken' || met.kind === 'note' || met.kind === 'not-yet') yield met;
    if (met.kind !== 'block') continue;
    const { chunk, offset, records } = met;
    let text = '';
    for (const [index, record] of records.entries()) {
      if (isWanted(record, wanted)) text += `${recordJson(record, { chunk, offset, index })}\n`;
    }
    if (text !== '') yield { kind: 'lines', text };
  }
}
