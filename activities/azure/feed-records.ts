import type { AvroHeader } from '../../schema/feed/avro-header.ts';
import { FeedCorruptError } from '../../schema/feed/feed-error.ts';
import { type DecodedRecord, decodeBlock, requireSchema } from '../../schema/feed/record-type.ts';
import type { FeedStore } from '../../schema/ports/feed-store.ts';
import { ChunkFile } from './chunk-file.ts';

/** A record as the file has it, with every field, and where it stands. */
export interface RawRecord extends DecodedRecord {
  readonly chunk: string;
  /** Of its block. */
  readonly offset: number;
  /** In its block. */
  readonly index: number;
}

/** A place that cannot be read. What follows it is read from the next whole block on. */
export interface BrokenPlace {
  readonly broken: {
    readonly path: string;
    readonly offset: number;
    readonly why: string;
    /** The file ends in the middle of a block or of its header: no damage where it still grows. */
    readonly torn: boolean;
  };
}

/** Every record of a chunk, whole; what is broken is named and passed over. */
export async function* readChunk(
  store: FeedStore,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<RawRecord | BrokenPlace> {
  const file = new ChunkFile(store, path, signal);
  const header = await headerOf(path, file);
  if (header instanceof FeedCorruptError) {
    yield brokenBy(header);
    return;
  }
  if (header === 'torn') {
    if ((await file.end()) > 0) yield { broken: { path, offset: 0, why: 'the header has no end', torn: true } };
    return;
  }
  for (let offset = header.length; ; ) {
    try {
      const block = await file.block(header, offset);
      if (block === 'end') return;
      if (block !== 'torn') {
        for (const [index, decoded] of decodeBlock(path, header, block).entries()) {
          yield { chunk: path, offset, index, ...decoded };
        }
        offset = block.next;
        continue;
      }
      // A length that is damaged may claim more than the file has: then whole blocks follow.
      const torn = !(await file.hasMarker(header, offset));
      yield { broken: { path, offset, why: 'the file ends in the middle of a block', torn } };
      if (torn) return;
      offset = await file.blockAfter(header, offset);
    } catch (error) {
      if (!(error instanceof FeedCorruptError)) throw error;
      yield brokenBy(error);
      offset = await file.blockAfter(header, offset);
    }
  }
}

/**
 * Where the next whole block begins after the bad one at an offset, by the file's marker; the file's end where there
 * is none.
 */
export async function blockAfter(
  store: FeedStore,
  chunk: string,
  offset: number,
  signal: AbortSignal,
): Promise<number> {
  const file = new ChunkFile(store, chunk, signal);
  const header = await headerOf(chunk, file);
  if (header === 'torn' || header instanceof FeedCorruptError) return file.end();
  return file.blockAfter(header, Math.max(offset, header.length));
}

async function headerOf(path: string, file: ChunkFile): Promise<AvroHeader | 'torn' | FeedCorruptError> {
  try {
    const header = await file.header();
    if (header !== 'torn') requireSchema(path, header);
    return header;
  } catch (error) {
    if (error instanceof FeedCorruptError) return error;
    throw error;
  }
}

function brokenBy({ path, offset, why }: FeedCorruptError): BrokenPlace {
  return { broken: { path, offset, why, torn: false } };
}
