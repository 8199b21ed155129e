import { INIT_SEGMENT, type SegmentBegin } from './layout.ts';

/** An append, from before it is tried until all its bytes are in the chunk. */
export interface Append {
  readonly chunk: number;
  readonly offset: number;
  /** Journal entries `[from, to)`, those of the shard among them; encoding them again gives the same bytes. */
  readonly from: number;
  readonly to: number;
}

/** How far one shard of the open segment has come. */
export interface ShardState {
  readonly chunk: number;
  /** Of its chunk, the header among them. */
  readonly appends: number;
  readonly length: number;
  /** What the shard has of the journal's entries below this is in its chunks. */
  readonly next: number;
  readonly unfinished: Append | undefined;
  /** The newest appends, to find the way back where Azurite lost its last seconds. */
  readonly recent: readonly Append[];
}

export interface OpenSegment {
  readonly begin: SegmentBegin;
  /** The length that its manifest tells: a later start may use another. So may it use another number of shards. */
  readonly segmentMs: number;
  readonly shards: readonly ShardState[];
}

/** How far the feed has come in the journal. */
export interface FeedState {
  /** Entries below this are the open segment's or an earlier one's; each shard tells how many of them it has. */
  readonly next: number;
  readonly open: OpenSegment | undefined;
  /** The segment before the open one. */
  readonly final: SegmentBegin;
}

/** As the state was written when the feed had one shard. */
interface OneShardState {
  readonly next: number;
  readonly open?: {
    readonly segment: SegmentBegin;
    readonly segmentMs: number;
    readonly chunk: number;
    readonly appends: number;
    readonly length: number;
  };
  readonly final: SegmentBegin;
  readonly unfinished?: Append & { readonly segment: SegmentBegin };
  readonly recent: readonly (Append & { readonly segment: SegmentBegin })[];
}

export type StoredFeedState = FeedState | OneShardState;

const EMPTY: FeedState = { next: 0, open: undefined, final: INIT_SEGMENT };

/** The state that was kept, in today's form. */
export function feedStateOf(stored: StoredFeedState | undefined): FeedState {
  if (stored === undefined) return EMPTY;
  if (!('recent' in stored)) return stored;
  const { next, open, final, unfinished, recent } = stored;
  if (open === undefined) return { next, open, final };
  const { segment: begin, segmentMs, chunk, appends, length } = open;
  const here = recent.filter((append) => append.segment === begin);
  const shard: ShardState = { chunk, appends, length, next, unfinished, recent: here };
  return { next: unfinished?.to ?? next, open: { begin, segmentMs, shards: [shard] }, final };
}
