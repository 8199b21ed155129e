import { readChunk } from '../../../activities/azure/feed-records.ts';
import type { Timestamp } from '../../../namespace/entry.ts';
import { type Manifest, parseManifest } from '../../../schema/feed/manifest.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import { type Broken, broken, brokenBy } from './broken.ts';
import { type ListedChunk, listChunks, missingBefore } from './chunks.ts';
import { type ListedSegment, listSegments, type NotYet } from './segments.ts';

/** A record's time may be off by so much from its segment's. */
const SEGMENT_SLACK_MS = 15 * 60_000;

export interface FeedWindow {
  /** @default from the beginning */
  readonly from?: Timestamp | undefined;
  /** Without this moment itself. @default to the end */
  readonly to?: Timestamp | undefined;
}

export interface OpenedSegment {
  readonly kind: 'segment';
  readonly path: string;
  readonly begin: Timestamp;
  readonly finalised: boolean;
  readonly shards: readonly string[];
}

export interface OpenedChunk extends ListedChunk {
  readonly kind: 'chunk';
  readonly segment: string;
  readonly shard: string;
}

/** The records of one block that is whole. */
export interface Block {
  readonly kind: 'block';
  readonly chunk: string;
  readonly offset: number;
  /** As the chunk's own schema decodes them. */
  readonly records: readonly unknown[];
}

/** What a walk meets, in its order: a segment before its chunks, a chunk before its blocks. */
export type Met = OpenedSegment | OpenedChunk | Block | Broken | NotYet;

/**
 * Walks a feed from its beginning to its end: segment by segment, shard by shard, chunk by chunk, every block once.
 * What is broken is met like everything else, and the walk goes on after it, with as much as is whole. Holds a few
 * megabytes, however large the feed is.
 *
 * Not broken are a segment without chunks, a `lastConsumable` without a manifest, and an unfinished block at the
 * end of a chunk that still grows: real feeds have them.
 *
 * @param window only segments that may hold records of that time are opened.
 */
export async function* walkFeed(store: FeedStore, window: FeedWindow, signal: AbortSignal): AsyncGenerator<Met> {
  for await (const listed of listSegments(store, signal)) {
    if (listed.kind !== 'segment') yield listed;
    else if (mayHold(listed, window)) yield* walkSegment(store, listed, signal);
  }
}

function mayHold({ begin, until }: ListedSegment, { from, to }: FeedWindow): boolean {
  if (to !== undefined && begin - SEGMENT_SLACK_MS >= to) return false;
  return from === undefined || until === undefined || until + SEGMENT_SLACK_MS > from;
}

async function* walkSegment(store: FeedStore, listed: ListedSegment, signal: AbortSignal): AsyncGenerator<Met> {
  const { path, begin, until } = listed;
  const manifest = await readManifest(store, path, signal);
  if ('kind' in manifest) return yield manifest;
  const { finalised } = manifest;
  const shards = [...new Set(manifest.shards)];
  yield { kind: 'segment', path, begin, finalised, shards };
  for (const shard of shards) {
    try {
      yield* walkShard(store, path, shard, !finalised && until === undefined, signal);
    } catch (error) {
      const damage = brokenBy(error, shard);
      if (damage === undefined) throw error;
      yield damage;
    }
  }
}

/** @param grows its newest chunk may still be written to. */
async function* walkShard(
  store: FeedStore,
  segment: string,
  shard: string,
  grows: boolean,
  signal: AbortSignal,
): AsyncGenerator<Met> {
  const chunks = await listChunks(store, shard, signal);
  let expected = 0;
  for (const chunk of chunks) {
    const missing = missingBefore(shard, expected, chunk);
    if (missing !== undefined) yield missing;
    expected = chunk.number + 1;
    yield { kind: 'chunk', segment, shard, ...chunk };
    try {
      yield* readBlocks(store, chunk.path, grows && chunk === chunks.at(-1), signal);
    } catch (error) {
      const damage = brokenBy(error, chunk.path);
      if (damage === undefined) throw error;
      yield damage;
    }
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

async function readManifest(store: FeedStore, path: string, signal: AbortSignal): Promise<Manifest | Broken> {
  try {
    const file = await store.readText(path, {}, signal);
    if (file === undefined || file === 'unchanged') return broken(path, 0, 'it was removed after it was listed');
    return parseManifest(path, file.text);
  } catch (error) {
    const damage = brokenBy(error, path);
    if (damage === undefined) throw error;
    return broken(path, 0, `${damage.why}; it alone says which chunks are its own, so none of them is read`);
  }
}
