import { DRIFT_MS } from '../../../activities/azure/feed-find.ts';
import type { Timestamp } from '../../../namespace/entry.ts';
import { ahead } from './ahead.ts';
import { type Broken, broken, type Note } from './broken.ts';
import { noChunksAtAll } from './chunks.ts';
import { type OpenedChunk, type OpenedSegment, openSegment, type SegmentStep } from './open-segment.ts';
import { type Block, wholeBlocks } from './read-blocks.ts';
import { type ListedSegment, listSegments, type NotYet } from './segments.ts';
import type { WalkedFeed } from './walked-feed.ts';

export interface FeedWindow {
  /** @default from the beginning */
  readonly from?: Timestamp | undefined;
  /** Without this moment itself. @default to the end */
  readonly to?: Timestamp | undefined;
}

/** What a walk meets, in its order: a segment before its chunks, a chunk before its blocks. */
export type Met = OpenedSegment | OpenedChunk | Block | Broken | Note | NotYet;

/** Segments whose manifest is read, and whose chunks are listed, before they are walked. */
const SEGMENTS_AHEAD = 8;
/** Chunks of which the first bytes are read before they are walked. */
const CHUNKS_AHEAD = 3;

/**
 * Walks a feed from its beginning to its end: segment by segment, shard by shard, chunk by chunk, every block once.
 * What is broken is met like everything else, and the walk goes on after it, with as much as is whole. A shard
 * that two segments name is walked in the first of them. Kept from segment to segment are the shards' paths alone: a
 * few megabytes for years of hourly segments.
 *
 * Not broken are a segment without chunks, a `lastConsumable` without a manifest, and an unfinished block at the
 * end of a chunk that still grows: real feeds have them.
 *
 * @param window only segments that may hold records of that time are opened.
 * @param reached the shards that were named so far: those of the segments that are met are added.
 */
export async function* walkFeed(
  feed: WalkedFeed,
  window: FeedWindow,
  signal: AbortSignal,
  reached: Set<string> = new Set(),
): AsyncGenerator<Met> {
  for await (const { step, blocks } of ahead(stepsOf(feed, window, reached, signal), CHUNKS_AHEAD, begin)) {
    yield step;
    if (blocks !== undefined) yield* blocks;
  }

  async function begin(step: Step): Promise<{ readonly step: Met; readonly blocks?: AsyncIterable<Met> }> {
    if (step.kind !== 'chunk') return { step };
    const { grows: _, ...chunk } = step;
    return { step: chunk, blocks: await begun(wholeBlocks(feed, step, signal)) };
  }
}

/** What is met before any chunk is read. */
type Step = SegmentStep | Note | NotYet;

async function* stepsOf(
  feed: WalkedFeed,
  window: FeedWindow,
  reached: Set<string>,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  const { store } = feed;
  const open = async (listed: ListedSegment | NotYet | Broken): Promise<readonly Step[]> => {
    if (listed.kind !== 'segment') return [listed];
    return mayHold(listed, window) ? await openSegment(store, listed, signal) : [];
  };
  let named = false;
  let chunks = false;
  for await (const steps of ahead(listSegments(store, signal), SEGMENTS_AHEAD, open)) {
    for (const step of onlyOnce(steps, reached)) {
      named ||= step.kind === 'segment' && step.finalised && step.shards.length > 0;
      chunks ||= step.kind === 'chunk';
      yield step;
    }
  }
  const none = named && !chunks ? await noChunksAtAll(feed, signal) : undefined;
  if (none !== undefined) yield none;
}

/** A segment's steps, without those of shards that a segment before it has named: a chunk is one segment's. */
function* onlyOnce(steps: readonly Step[], reached: Set<string>): Generator<Step> {
  const again = new Set<string>();
  for (const step of steps) {
    if (step.kind !== 'segment') {
      const path = step.kind === 'not-yet' ? '' : step.path;
      if (!again.has(path.slice(0, path.lastIndexOf('/') + 1))) yield step;
      continue;
    }
    yield step;
    for (const shard of step.shards) {
      if (reached.has(shard)) {
        again.add(shard);
        yield broken(step.path, 0, `it names ${shard}, which is another segment's too`);
      }
      reached.add(shard);
    }
  }
}

function mayHold({ begin, until }: ListedSegment, { from, to }: FeedWindow): boolean {
  if (to !== undefined && begin - DRIFT_MS >= to) return false;
  return from === undefined || until === undefined || until + DRIFT_MS > from;
}

/** The items of a generator whose first one is fetched already. */
async function begun<Item>(items: AsyncGenerator<Item>): Promise<AsyncIterable<Item>> {
  const first = await items.next();
  return (async function* () {
    if (first.done === true) return;
    yield first.value;
    yield* items;
  })();
}
