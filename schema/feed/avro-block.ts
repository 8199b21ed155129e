import { type AvroHeader, SYNC_BYTES } from './avro-header.ts';
import { FeedCorruptError } from './feed-error.ts';
import { readVarint } from './varint.ts';

/** Azure's blocks hold at most 66,144 bytes; one this large is damage, not data. */
const MAX_BLOCK_BYTES = 8 * 1024 * 1024;

/** One whole block. Offsets are the file's. */
export interface AvroBlock {
  readonly offset: number;
  readonly records: number;
  /** As they stand in the file: the header's codec says how. A view of the bytes that were parsed. */
  readonly data: Uint8Array;
  /** Where the next block begins. */
  readonly next: number;
}

/**
 * Finds the block at byte `offset` of the file, of which `bytes` are the part from `base` on.
 *
 * @returns `torn` where the block is not all there: at the end of a file that grows this means not yet. A block that
 * is there and does not end in the file's marker is damage.
 */
export function parseBlock(
  path: string,
  header: AvroHeader,
  bytes: Uint8Array,
  offset: number,
  base: number,
): AvroBlock | 'torn' {
  const count = readVarint(bytes, offset - base);
  if (count.kind === 'torn') return 'torn';
  if (count.kind === 'bad' || count.value < 0) throw new FeedCorruptError(path, offset, 'no valid count of records');
  const size = readVarint(bytes, count.next);
  if (size.kind === 'torn') return 'torn';
  if (size.kind === 'bad' || size.value < 0 || size.value > MAX_BLOCK_BYTES) {
    throw new FeedCorruptError(path, offset, 'no valid size of a block');
  }
  const end = size.next + size.value;
  if (end + SYNC_BYTES > bytes.length) return 'torn';
  for (let at = 0; at < SYNC_BYTES; at++) {
    if (bytes[end + at] !== header.sync[at]) {
      throw new FeedCorruptError(path, offset, "the block does not end in the file's marker");
    }
  }
  return { offset, records: count.value, data: bytes.subarray(size.next, end), next: base + end + SYNC_BYTES };
}
