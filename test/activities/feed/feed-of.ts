import { sql } from 'kysely';
import { feedActivities } from '../../../activities/feed/feed-activities.ts';
import type { Services } from '../../../activities/services.ts';
import type { Index } from '../../../schema/index/database.ts';
import { readCursor } from '../../../schema/index/feed-cursors.ts';
import type { FeedTurn } from '../../../schema/inputs/activities.ts';
import { storedEntries } from '../../schema/index/read-index.ts';
import { avroBlock, avroHeader, feedRecord, MemoryFeed } from '../azure/memory-feed.ts';
import { runActivity } from '../test-services.ts';

/** A feed of one open segment and one shard: numbered blobs, some to a block. */
export function feedOf(blocks: number, each: number): MemoryFeed {
  const feed = new MemoryFeed();
  feed.segment(0, 'Publishing');
  const records = (at: number) => Array.from({ length: each }, (_, index) => feedRecord(1 + at * each + index));
  feed.append(
    `${feed.shard(0)}00000.avro`,
    avroHeader(),
    ...Array.from({ length: blocks }, (_, at) => avroBlock(records(at))),
  );
  return feed;
}

/** Names in each block of a chunk, by the offset after it; names are the feed's own, each there once. */
type Blocks = readonly { readonly end: number; readonly names: readonly string[] }[];

/** A feed that knows what each of its blocks holds, so that a cursor tells which names must be in the index. */
export class KnownFeed extends MemoryFeed {
  readonly #chunks = new Map<string, Blocks>();
  #next = 1;

  /** Adds a block of so many new blobs to a chunk, which begins with its header. @returns the block's offset. */
  grow(chunk: string, records: number): number {
    if (!this.files.has(chunk)) this.append(chunk, avroHeader());
    const offset = this.files.get(chunk)?.length ?? 0;
    const numbers = Array.from({ length: records }, () => this.#next++);
    this.append(chunk, avroBlock(numbers.map((number) => feedRecord(number))));
    const block = { end: this.files.get(chunk)?.length ?? 0, names: numbers.map((number) => `blob-${number}`) };
    this.#chunks.set(chunk, [...(this.#chunks.get(chunk) ?? []), block]);
    return offset;
  }

  /** Names in a chunk's blocks that end at an offset or before it; without one, all. */
  namesTo(chunk: string, offset = Number.POSITIVE_INFINITY): readonly string[] {
    return (this.#chunks.get(chunk) ?? []).filter(({ end }) => end <= offset).flatMap(({ names }) => names);
  }

  get chunks(): readonly string[] {
    return [...this.#chunks.keys()];
  }

  get names(): readonly string[] {
    return this.chunks.flatMap((chunk) => this.namesTo(chunk)).sort();
  }
}

/** Two segments of two shards, of which one has two chunks: 16 blocks of three records. */
export function knownFeed(): KnownFeed {
  const feed = new KnownFeed();
  const shards = ['00', '01'];
  feed.segment(0, 'Finalized', shards);
  feed.segment(60, 'Publishing', shards);
  for (const minute of [0, 60]) {
    for (const shard of shards) {
      for (let block = 0; block < 4; block++) {
        const chunk = shard === '01' && block > 1 ? '00001.avro' : '00000.avro';
        feed.grow(`${feed.shard(minute, shard)}${chunk}`, 3);
      }
    }
  }
  return feed;
}

/** What the cursor says is applied must be in the index, and nothing else (invariant 3). */
export async function namesByCursor(index: Index, accountId: number, feed: KnownFeed): Promise<readonly string[]> {
  const cursor = await readCursor(index.db, accountId);
  if (cursor === undefined) return [];
  const at = /segments(.*)meta\.json/.exec(cursor.segment)?.[1] ?? '?';
  const names = feed.chunks.flatMap((chunk) => {
    const [, shard = '', segment = '', file = ''] = /^(log\/\d+(.*\/))(\d+\.avro)$/.exec(chunk) ?? [];
    if (segment !== at) return segment < at ? feed.namesTo(chunk) : [];
    const place = cursor.shards[shard];
    if (place === undefined) return [];
    const [, placed = ''] = /(\d+\.avro)$/.exec(place.chunk) ?? [];
    return file === placed ? feed.namesTo(chunk, place.offset) : file < placed ? feed.namesTo(chunk) : [];
  });
  return names.sort();
}

export async function namesInIndex(index: Index, accountId: number): Promise<readonly string[]> {
  return (await storedEntries(index, accountId)).map(({ name }) => name).sort();
}

/** The same services with a tail whose turn is one pass to the feed's end. */
export function inPasses(services: Services): Services {
  const { federation } = services;
  const changeFeed = { pollSeconds: 30, settleSeconds: 1, lagLimitSeconds: 600 };
  return { ...services, federation: { ...federation, sources: { ...federation.sources, changeFeed } } };
}

/** Turns until the feed's end, as its workflow would: what fails is tried again. */
export async function tailToEnd(
  services: Services,
  options: { readonly pageRecords?: number } = {},
): Promise<readonly FeedTurn[]> {
  const { tailFeed } = feedActivities(inPasses(services), options);
  const turns: FeedTurn[] = [];
  for (let attempt = 0; attempt < 50; attempt++) {
    const turn = await runActivity(() => tailFeed({ seconds: 60 })).catch(() => undefined);
    if (turn === undefined) continue;
    turns.push(turn);
    if (turn.caughtUp || turn.state !== 'tailing') return turns;
  }
  throw new Error(`the feed's end was not reached in ${turns.length} turns: ${JSON.stringify(turns.at(-1))}`);
}

/** Forgets everything that came of the feed. */
export async function emptyIndex(index: Index): Promise<void> {
  await sql`truncate entries, containers, looks, feed_cursors, feed_shards, sources, journal, sinks`.execute(index.db);
}
