import { IsthmusError } from '../../schema/errors.ts';
import { corrupt } from '../../schema/feed/corrupt.ts';
import type { RecordPosition } from '../../schema/feed/record.ts';
import type { ShardPosition } from '../../schema/index/feed-cursors.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { ChunkReader } from './feed-chunk.ts';

interface Chunk {
  readonly path: string;
  readonly length: number;
}

/** One shard of one segment: a row of chunks, of which only the last still grows. */
export class ShardReader {
  readonly #store: FeedStore;
  readonly #prefix: string;
  readonly #chunks: readonly Chunk[];
  readonly #readers: Map<string, ChunkReader>;
  /** The segment is finished: what is there is everything. */
  readonly #final: boolean;
  #position: ShardPosition | undefined;
  #done = false;
  #torn = false;

  private constructor(
    store: FeedStore,
    prefix: string,
    chunks: readonly Chunk[],
    readers: Map<string, ChunkReader>,
    position: ShardPosition | undefined,
    final: boolean,
  ) {
    this.#store = store;
    this.#prefix = prefix;
    this.#chunks = chunks;
    this.#readers = readers;
    this.#position = position;
    this.#final = final;
  }

  /** Lists the shard's chunks. `readers` keeps what was read of them from poll to poll. */
  static async open(
    store: FeedStore,
    prefix: string,
    position: ShardPosition | undefined,
    options: { readonly final: boolean; readonly readers: Map<string, ChunkReader> },
    signal: AbortSignal,
  ): Promise<ShardReader> {
    const chunks: Chunk[] = [];
    for await (const file of store.list(prefix, signal)) {
      if (chunkNumber(prefix, file.path) !== undefined) chunks.push(file);
    }
    refuseGaps(prefix, chunks, position);
    return new ShardReader(store, prefix, chunks, options.readers, position, options.final);
  }

  get prefix(): string {
    return this.#prefix;
  }

  /** None while the shard has no chunk. */
  get position(): ShardPosition | undefined {
    return this.#position;
  }

  /** Everything that was listed is read, and no more came where nothing may be missed. */
  get done(): boolean {
    return this.#done;
  }

  /** Bytes of an unfinished block stand at the end of an open segment: the rest has not come yet. */
  get torn(): boolean {
    return this.#torn;
  }

  /** Reads about `limits.records` records. The last chunk of an open segment is read as far as it was listed. */
  async read(
    limits: { readonly records: number; readonly slice: number },
    take: (record: unknown, position: RecordPosition) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const at = this.#position === undefined ? 0 : this.#chunks.findIndex((each) => each.path === this.#position?.chunk);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#done = true;
      return;
    }
    const next = this.#chunks[at + 1];
    // A chunk that has a successor, or whose segment is finished, is read until nothing comes: its listed length may be old.
    const finished = this.#final || next !== undefined;
    const from = this.#position ?? { chunk: chunk.path, offset: 0, index: 0 };
    const reader = this.#readers.get(chunk.path) ?? new ChunkReader(this.#store, chunk.path);
    this.#readers.set(chunk.path, reader);
    const read = await reader.read(from, { ...limits, length: finished ? undefined : chunk.length }, take, signal);
    this.#position = { chunk: chunk.path, offset: read.offset, index: read.index };
    if (read.end === 'no') return;
    if (read.end === 'torn' && finished) {
      throw corrupt(
        chunk.path,
        read.offset,
        'the file ends in the middle of a block, though nothing more is written to it',
      );
    }
    if (next === undefined) {
      this.#done = true;
      this.#torn = read.end === 'torn';
      return;
    }
    this.#readers.delete(chunk.path);
    this.#position = { chunk: next.path, offset: 0, index: 0 };
  }
}

/** `00000.avro` → 0. Anything else is no chunk. */
function chunkNumber(prefix: string, path: string): number | undefined {
  const digits = path.startsWith(prefix) ? /^(\d+)\.avro$/.exec(path.slice(prefix.length))?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** Chunks are numbered from 0 without holes; what the cursor points into must still be there. */
function refuseGaps(prefix: string, chunks: readonly Chunk[], position: ShardPosition | undefined): void {
  const missing = (path: string): IsthmusError =>
    new IsthmusError(
      'ISTHMUS_FEED_GAP',
      `${path} is gone, with records that were not read: a reconcile must heal what they said`,
    );
  if (position !== undefined && !chunks.some((chunk) => chunk.path === position.chunk)) throw missing(position.chunk);
  const first = position === undefined ? 0 : (chunkNumber(prefix, position.chunk) ?? 0);
  let expected = first;
  for (const chunk of chunks) {
    const number = chunkNumber(prefix, chunk.path) ?? 0;
    if (number < first) continue;
    if (number !== expected) throw missing(`${prefix}${String(expected).padStart(5, '0')}.avro`);
    expected++;
  }
}
