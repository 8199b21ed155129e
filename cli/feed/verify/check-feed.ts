import { manifestOfChunk, segmentTime } from '../../../schema/feed/segment-path.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import type { Position } from '../dump/record-json.ts';
import type { Broken, Note } from '../walk/broken.ts';
import { CHUNKS } from '../walk/chunks.ts';
import type { OpenedChunk, OpenedSegment } from '../walk/open-segment.ts';
import { walkFeed } from '../walk/walk-feed.ts';
import type { WalkedFeed } from '../walk/walked-feed.ts';
import type { Disorder, Unreached } from './finding.ts';
import { ShardOrder } from './shard-order.ts';

export interface FeedCounts {
  segments: number;
  /** Of all segments. */
  shards: number;
  chunks: number;
  records: number;
  /** Segments after `lastConsumable`, which were left alone. */
  notYet: number;
}

/** One record, and which segment and shard it is of. */
export interface CheckedRecord {
  readonly record: unknown;
  readonly position: Position;
  readonly chunk: OpenedChunk;
}

/** Walks the whole feed and hands out what is wrong with it; every record that is whole goes to `take`, a block at a time. */
export async function* checkFeed(
  feed: WalkedFeed,
  counts: FeedCounts,
  take: (records: readonly CheckedRecord[]) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Broken | Note | Disorder | Unreached> {
  const reached = new Set<string>();
  let segment: OpenedSegment | undefined;
  let chunk: OpenedChunk | undefined;
  let order: ShardOrder | undefined;
  for await (const met of walkFeed(feed, {}, signal, reached)) {
    if (met.kind === 'broken' || met.kind === 'note') yield met;
    else if (met.kind === 'not-yet') counts.notYet = met.segments;
    else if (met.kind === 'segment') {
      segment = met;
      counts.segments++;
      counts.shards += met.shards.length;
    } else if (met.kind === 'chunk') {
      if (chunk?.shard !== met.shard || chunk.segment !== met.segment) order = new ShardOrder(segment?.begin ?? 0);
      order?.beginChunk();
      chunk = met;
      counts.chunks++;
    } else {
      counts.records += met.records.length;
      const { offset, records } = met;
      const taken: CheckedRecord[] = [];
      for (const [index, record] of records.entries()) {
        const position = { chunk: met.chunk, offset, index };
        yield* order?.check(record, position) ?? [];
        if (chunk !== undefined) taken.push({ record, position, chunk });
      }
      await take(taken);
    }
  }
  yield* unreached(feed.store, reached, segment?.path, signal);
}

/** Chunks that no readable manifest names. Those of a time after the newest segment may be named yet. */
async function* unreached(
  store: FeedStore,
  reached: ReadonlySet<string>,
  newest: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Unreached> {
  const last = newest === undefined ? undefined : segmentTime(newest);
  for await (const { path } of store.list(CHUNKS, signal)) {
    const shard = path.slice(0, path.lastIndexOf('/') + 1);
    if (!path.endsWith('.avro') || reached.has(shard)) continue;
    const time = segmentTime(manifestOfChunk(path) ?? '');
    if (time === undefined || last === undefined || time <= last) yield { kind: 'unreached', path };
  }
}
