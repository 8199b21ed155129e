import type { Journal } from '../journal.ts';
import { blocksOf, syncMarkerOf } from './encode.ts';
import type { Append } from './feed-state.ts';
import { chunkPath, type SegmentBegin } from './layout.ts';
import { isRecorded, recordOf } from './record.ts';
import { shardOf } from './shard.ts';

/** A shard of a segment. */
export interface ShardPlace {
  readonly segment: SegmentBegin;
  readonly shard: number;
  /** Of how many. */
  readonly shards: number;
}

type Entries = Pick<Append, 'from' | 'to'>;

/** What the shard has of these journal entries. */
export async function changesOf(journal: Journal, place: ShardPlace, { from, to }: Entries) {
  const entries = await journal.read(from, to - from);
  return entries
    .map(({ entry }) => entry)
    .filter(isRecorded)
    .filter((change) => shardOf(change, place.shards) === place.shard);
}

/** The bytes of an append, the same whenever they are made. */
export async function appendBytes(journal: Journal, place: ShardPlace, append: Append) {
  const path = chunkPath(place.segment, append.chunk, place.shard);
  const changes = await changesOf(journal, place, append);
  const blocks = blocksOf(changes.map(recordOf), syncMarkerOf(path));
  return {
    path,
    bytes: Buffer.concat(blocks.map((block) => block.bytes)),
    lastBlock: blocks.at(-1)?.bytes.length ?? 0,
  };
}
