import { readChunk } from '../../../activities/azure/feed-records.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy } from './broken.ts';
import type { ChunkStep } from './open-segment.ts';

/** The records of one block that is whole. */
export interface Block {
  readonly kind: 'block';
  readonly chunk: string;
  readonly offset: number;
  /** As the chunk's own schema decodes them. */
  readonly records: readonly unknown[];
}

/** A chunk's records, as far as the file can be read at all. */
export async function* wholeBlocks(
  store: FeedStore,
  { path, length, grows }: Pick<ChunkStep, 'path' | 'length' | 'grows'>,
  signal: AbortSignal,
): AsyncGenerator<Block | Broken> {
  try {
    yield* readBlocks(store, path, grows, signal);
    if (length === 0 && !grows) yield broken(path, 0, 'it holds nothing, though nothing more comes');
  } catch (error) {
    const damage = brokenBy(error, path);
    if (damage === undefined) throw error;
    yield damage;
  }
}

/** A chunk's records, block by block. One that grows may end in the middle of a block, whose rest has not come yet. */
async function* readBlocks(
  store: FeedStore,
  chunk: string,
  grows: boolean,
  signal: AbortSignal,
): AsyncGenerator<Block | Broken> {
  let held: (Block & { readonly records: unknown[] }) | Broken | undefined;
  for await (const read of readChunk(store, chunk, signal)) {
    const offset = 'record' in read ? read.offset : read.broken.offset;
    if (held !== undefined && !(held.kind === 'block' && held.offset === offset)) {
      yield held.kind === 'broken' ? { ...held, until: offset } : held;
      held = undefined;
    }
    if ('record' in read) {
      if (held?.kind !== 'block') held = { kind: 'block', chunk, offset, records: [] };
      held.records.push(read.record);
    } else if (!(read.broken.torn && grows)) {
      const { why, torn } = read.broken;
      held = broken(chunk, offset, torn ? `${why}, though nothing more comes` : why);
    }
  }
  if (held !== undefined) yield held;
}
