import { readChunk } from '../../../activities/azure/feed-records.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy, type Note } from './broken.ts';
import type { ChunkStep } from './open-segment.ts';
import type { WalkedFeed } from './walked-feed.ts';

/** The records of one block that is whole. */
export interface Block {
  readonly kind: 'block';
  readonly chunk: string;
  readonly offset: number;
  /** As the chunk's own schema decodes them. */
  readonly records: readonly unknown[];
  /** Of how many records a text that is not the name is not as the file has it. */
  readonly altered: number;
}

/** A chunk's records, as far as the file can be read at all. */
export async function* wholeBlocks(
  { store, isCopy }: WalkedFeed,
  { path, length, grows }: Pick<ChunkStep, 'path' | 'length' | 'grows'>,
  signal: AbortSignal,
): AsyncGenerator<Block | Broken | Note> {
  // Bytes may come after the chunk was listed.
  let empty = length === 0 && !grows;
  let altered = 0;
  try {
    for await (const read of readBlocks(store, path, grows, signal)) {
      empty = false;
      if (read.kind === 'block') altered += read.altered;
      // Damage may stand behind what was listed.
      yield read.kind === 'block' ? read : { ...read, reach: read.until ?? Math.max(length, read.offset + 1) };
    }
    const why = 'it holds nothing, though nothing more comes';
    if (empty) yield isCopy ? broken(path, 0, why) : { kind: 'note', path, why };
  } catch (error) {
    const damage = brokenBy(error, path);
    if (damage === undefined) throw error;
    yield damage;
  }
  const holding = altered === 1 ? 'one record holds' : `${altered} records hold`;
  const why = `${holding} text that is not UTF-8, which was altered in decoding`;
  if (altered > 0) yield { kind: 'note', path, why };
}

/** A chunk's records, block by block. One that grows may end in the middle of a block, whose rest has not come yet. */
async function* readBlocks(
  store: FeedStore,
  chunk: string,
  grows: boolean,
  signal: AbortSignal,
): AsyncGenerator<Block | Broken> {
  let held: (Block & { readonly records: unknown[]; altered: number }) | Broken | undefined;
  for await (const read of readChunk(store, chunk, signal)) {
    const offset = 'record' in read ? read.offset : read.broken.offset;
    if (held !== undefined && !(held.kind === 'block' && held.offset === offset)) {
      yield held.kind === 'broken' ? { ...held, until: offset } : held;
      held = undefined;
    }
    if ('record' in read) {
      if (held?.kind !== 'block') held = { kind: 'block', chunk, offset, records: [], altered: 0 };
      held.records.push(read.record);
      if (read.altered) held.altered++;
    } else if (!(read.broken.torn && grows)) {
      const { why, torn } = read.broken;
      held = broken(chunk, offset, torn ? `${why}, though nothing more comes` : why);
    }
  }
  if (held !== undefined) yield held;
}
